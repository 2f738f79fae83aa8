"""Table 14 of the InstructGPT paper as data, and our numbers from the released samples beside it.

Called by the board's page of the released samples. Ouyang et al. 2022, arXiv 2203.02155, appendix
E, table 14. The paper asked thousands of items a task, the samples hold 100 of each.

>>> table_14()["squadv2", "fewshot", "squad_f1", "ppo_ptx", "175B"]
0.6993
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.reporting.results.schema import Result

FAMILY = "InstructGPT"
STAGES = ("base", "sft", "ppo", "ppo_ptx")
SIZES = ("1.3B", "6B", "175B")
Line = tuple[str, str, str]  # task, wording, metric
Key = tuple[str, str, str, str, str]  # ... stage, size

COPIED = "the paper prints the CNN/DM row for TL;DR too, so one of the two is wrong"
EXCHANGED = (
    "table and samples seem to name these two wordings the other way round: with 'instruction' and "
    "'qa-instruction' exchanged, the mean difference of the 48 numbers falls from 0.14 to 0.05"
)
CAVEATS: Mapping[Line, str] = {
    ("tldr", "", "rouge_l"): COPIED,
    ("cnn_dm", "", "rouge_l"): COPIED,
    **{
        ("truthful_qa", wording, metric): EXCHANGED
        for wording in ("instruction", "qa-instruction")
        for metric in ("truthful", "truthful_informative")
    },
}
# F1 and BLEU are printed in percent.
PERCENT = frozenset({"squad_f1", "quac_f1", "drop_f1", "bleu"})

# Rows as printed, thousandths without their ".": task, wording, metric, then GPT, SFT, PPO and
# PPO-ptx, each at 1.3B, 6B, 175B. Winogender and CrowS-Pairs are the entropy of the choice in bits:
# higher is less biased. Names are those of the importer where the samples hold the task.
PRINTED = """
winogender basic entropy 750 721 735 583 535 503 698 587 618 760 719 737
winogender respectful entropy 774 753 796 561 446 479 644 562 527 608 585 696
winogender biased entropy 760 773 783 561 516 540 706 567 564 676 543 690
crows_pairs basic entropy 448 430 410 356 326 241 355 361 326 448 434 413
crows_pairs respectful entropy 419 413 362 302 260 204 281 258 270 310 273 243
crows_pairs biased entropy 420 419 353 305 252 187 287 288 223 314 254 205
real_toxicity basic toxicity 228 229 231 198 211 211 213 214 228 228 227 234
real_toxicity respectful toxicity 211 232 233 196 196 199 198 176 205 179 204 196
real_toxicity biased toxicity 250 261 285 236 250 256 254 382 427 263 512 400
truthful_qa qa truthful 312 220 284 324 436 515 546 586 755 297 476 712
truthful_qa instruction truthful 340 414 570 360 756 665 634 928 879 355 733 815
truthful_qa qa-instruction truthful 335 348 438 517 659 852 807 760 944 322 494 610
truthful_qa qa truthful_informative 193 186 251 267 253 271 524 574 752 285 464 689
truthful_qa instruction truthful_informative 212 212 226 282 213 257 559 187 382 339 350 494
truthful_qa qa-instruction truthful_informative 218 267 242 288 319 206 789 704 588 242 399 315
hellaswag zeroshot accuracy 549 673 781 528 672 753 507 646 743 552 690 807
hellaswag fewshot accuracy 550 677 791 516 657 741 530 671 759 559 694 820
wsc zeroshot accuracy 567 635 740 615 606 654 663 654 683 692 587 731
wsc fewshot accuracy 587 654 798 615 625 779 625 596 654 644 673 788
rte zeroshot accuracy 527 617 563 487 516 570 480 708 704 538 657 668
rte fewshot accuracy 585 682 614 574 657 700 606 585 711 545 697 765
sst zeroshot accuracy 592 616 898 873 888 907 817 820 920 812 901 900
sst fewshot accuracy 842 930 944 909 933 936 794 880 944 838 923 938
quac zeroshot quac_f1 32.13 38.19 42.55 34.52 41.19 45.22 29.02 37.64 34.52 35.04 37.35 41.60
quac fewshot quac_f1 36.02 41.78 45.38 35.95 43.13 48.77 31.81 40.63 36.00 39.40 42.42 46.99
squadv2 zeroshot squad_f1 51.97 58.66 64.30 36.88 46.53 57.67 45.37 47.42 43.68 45.46 47.23 59.85
squadv2 fewshot squad_f1 58.86 62.33 69.75 46.62 53.91 65.90 48.11 52.34 51.95 58.33 63.78 69.93
drop zeroshot drop_f1 17.68 19.96 27.53 13.29 13.23 15.79 14.70 12.34 13.08 14.71 10.64 15.23
drop fewshot drop_f1 25.43 30.08 35.27 23.84 30.99 35.85 21.61 27.11 27.78 23.89 29.39 33.34
wmt_fr_en zeroshot bleu 30.65 34.99 38.92 25.56 33.25 36.90 19.85 25.22 24.16 25.77 30.41 34.28
wmt_fr_en fewshot bleu 31.37 35.49 39.93 24.73 31.76 35.07 21.65 29.96 26.58 27.67 33.56 36.76
cnn_dm - rouge_l 182 197 196 198 235 225 218 231 227 214 231 220
tldr - rouge_l 182 197 196 198 235 225 218 231 227 214 231 220
"""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One number of the paper beside ours; `ours` is the mean over the `n` items that were scored,
    `difference` is ours - theirs, `caveat` what a reader must know ("" for nothing)."""

    model: str
    stage: str
    size: str
    task: str
    variant: str
    metric: str
    ours: float
    n: int
    theirs: float
    difference: float
    caveat: str


def against_paper(results: Iterable[Result]) -> list[PaperRow]:
    """A row for each metric of `results` that table 14 has; models of other families have none."""
    known = table_14()
    return [
        row
        for result in results
        if result.model.family == FAMILY
        for name in result.items.scores
        if (row := _row(result, name, known))
    ]


def table_14() -> dict[Key, float]:
    """All values of the table as shares of 1 (entropies in bits), by task, wording, metric, stage
    and size."""
    found: dict[Key, float] = {}
    for text in PRINTED.strip().splitlines():
        task, wording, metric, *printed = text.split()
        variant = "" if wording == "-" else wording
        for (stage, size), number in zip(_places(), printed, strict=True):
            found[task, variant, metric, stage, size] = _value(metric, number)
    return found


def _row(result: Result, metric: str, known: Mapping[Key, float]) -> PaperRow | None:
    model, line = result.model, (result.task.name, result.task.variant, metric)
    theirs = known.get((*line, model.stage, model.size))
    scored = [score for score in result.items.scores[metric] if score is not None]
    if theirs is None or not scored:
        return None
    ours = sum(scored) / len(scored)
    return PaperRow(
        model=model.name,
        stage=model.stage,
        size=model.size,
        task=line[0],
        variant=line[1],
        metric=metric,
        ours=ours,
        n=len(scored),
        theirs=theirs,
        difference=ours - theirs,
        caveat=CAVEATS.get(line, ""),
    )


def _places() -> list[tuple[str, str]]:
    return [(stage, size) for stage in STAGES for size in SIZES]


def _value(metric: str, printed: str) -> float:
    return round(float(printed) / (100 if metric in PERCENT else 1000), 4)
