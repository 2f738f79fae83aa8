"""Minimal files as lm-eval 0.4.13 writes them (`--model dummy --log_samples`)."""

from pathlib import Path

from tests.reporting.importers.sources import write_json, write_lines

STAMP = "2026-01-21T03-44-18.458309"
CHOOSE, WRITE, BYTES = "sums_choose", "sums_write", "sums_perplexity"


def lm_eval_results(tasks: dict[str, dict]) -> dict:
    """results_*.json of `tasks` (name -> its config and its results)."""
    return {
        "results": {
            name: {"alias": name, "sample_len": 2, **task["results"]}
            for name, task in tasks.items()
        },
        "groups": {"sums": {"alias": "sums", "acc,none": 0.5}},
        "group_subtasks": {"sums": list(tasks)},
        "configs": {name: {"task": name, **task["config"]} for name, task in tasks.items()},
        "versions": dict.fromkeys(tasks, 1.0),
        "n-shot": dict.fromkeys(tasks, 5),
        "higher_is_better": {name: task["higher"] for name, task in tasks.items()},
        "n-samples": {name: {"original": 4, "effective": 2} for name in tasks},
        "config": {
            "model": "hf",
            "model_args": "pretrained=org/one",
            "model_num_parameters": 93069280,
            "model_dtype": "torch.bfloat16",
            "model_sha": "82047f5e",
            "limit": 2.0,
            "fewshot_seed": 1234,
        },
        "git_hash": "1f84a09f",
        "date": 1768964383.8593218,
        "pretty_env_info": "PyTorch version: 2.9.0",
        "transformers_version": "4.57.6",
        "lm_eval_version": "0.4.13",
        "model_name": "org/one",
        "system_instruction": None,
        "chat_template": None,
    }


def lm_eval_tasks() -> dict[str, dict]:
    """A task of choices, one of texts with two filters, one without scores of items."""
    return {
        CHOOSE: {
            "config": {
                "dataset_path": "org/sums",
                "output_type": "multiple_choice",
                "metric_list": [{"metric": "acc", "aggregation": "mean"}, {"metric": "mcc"}],
            },
            "results": {"acc,none": 0.5, "acc_stderr,none": 0.5, "mcc,none": 0.25},
            "higher": {"acc": True, "mcc": True},
        },
        WRITE: {
            "config": {
                "output_type": "generate_until",
                "metric_list": [{"metric": "exact_match", "aggregation": "mean"}],
                "generation_kwargs": {"until": ["\n\n"], "temperature": 0.0, "max_gen_toks": 16},
            },
            "results": {"exact_match,strict-match": 0.0, "exact_match,flexible-extract": 0.5},
            "higher": {"exact_match": True},
        },
        BYTES: {
            "config": {
                "output_type": "loglikelihood_rolling",
                "metric_list": [{"metric": "bits_per_byte"}],
            },
            "results": {"bits_per_byte,none": 0.9},
            "higher": {"bits_per_byte": False},
        },
    }


def lm_eval_samples() -> dict[str, list[dict]]:
    """The lines of samples_*.jsonl of the same tasks."""
    choose = [
        _lm_eval(0, "none", [["-1.0", "False"], ["-2.0", "False"]], acc=1.0, mcc=[0, 0]),
        _lm_eval(1, "none", [["-3.0", "False"], ["-2.0", "True"]], acc=0.0, mcc=[0, 1]),
    ]
    write = [
        _lm_eval(place, how, [found], reply=reply, exact_match=score)
        for how, results in {
            "strict-match": [("[invalid]", 0.0), ("[invalid]", 0.0)],
            "flexible-extract": [("4", 1.0), ("7", 0.0)],
        }.items()
        for place, (reply, (found, score)) in enumerate(
            zip(["I say 4", "I'm sorry, I can't answer 7"], results, strict=True)
        )
    ]
    rolling = [_lm_eval(place, "none", ["-0.3"], bits_per_byte=[-0.3, 23]) for place in (0, 1)]
    return {CHOOSE: choose, WRITE: write, BYTES: rolling}


def _lm_eval(place: int, how: str, filtered: list, reply: str = "", **scores: object) -> dict:
    return {
        "doc_id": place,
        "doc": {"question": f"{place} + {place} ="},
        "target": str(2 * place),
        "arguments": {"gen_args_0": {"arg_0": "Question"}},
        "resps": [[reply]] if reply else [[one] for one in filtered],
        "filtered_resps": filtered,
        "filter": how,
        "metrics": list(scores),
        "doc_hash": f"d{place}".ljust(64, "0"),
        "prompt_hash": f"f{place}".ljust(64, "0"),
        "target_hash": f"e{place}".ljust(64, "0"),
        **scores,
    }


def write_lm_eval(folder: Path, results: dict, samples: dict[str, list[dict]]) -> Path:
    """A folder as `lm_eval --output_path` fills it."""
    write_json(folder / "org__one" / f"results_{STAMP}.json", results)
    for task, lines in samples.items():
        write_lines(folder / "org__one" / f"samples_{task}_{STAMP}.jsonl", lines)
    return folder
