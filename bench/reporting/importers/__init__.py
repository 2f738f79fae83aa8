"""Importers: other tools' results as Results, and Results as every_eval_ever records.

A reader takes a file or a folder and gives an `Imported`: the Results, and by name everything that
the source holds and a Result cannot. `table.py` names the readers.

    bench import instructgpt shared/instructgpt -o leaderboard/results
"""
