"""What charts say, in the language of the page that they stand on.

Charts are written in English; `say` gives the Chinese of a sentence where the page is Chinese. The
language is that of `speaking`, which `bench.reporting.site.figure` opens around each drawing: to
hand it through every function that writes a word would hide what they do.

>>> with speaking("zh"):
...     say("No model has both a score and {cost}.", cost="parameters")
'没有模型同时具有得分和 parameters。'
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from bench.counted import counted as in_english
from bench.reporting.site.remarks import plain_remarks
from bench.reporting.site.strings import Language

LANGUAGE: ContextVar[Language] = ContextVar("LANGUAGE", default="en")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Within the block charts speak `language`."""
    token = LANGUAGE.set(language)
    try:
        yield
    finally:
        LANGUAGE.reset(token)


def say(english: str, /, **values: object) -> str:
    """A sentence, a word or a pattern of CHINESE in the language of the page, with its values."""
    told = CHINESE[english] if LANGUAGE.get() == "zh" else english
    return told.format(**values) if values else told


def say_remark(text: str) -> str:
    """A remark of the statistics in the language of the page."""
    return plain_remarks([text], LANGUAGE.get())


def counted(number: int, one: str) -> str:
    """`1 task`, `2 tasks`; in Chinese the word stands behind a number of any size."""
    if LANGUAGE.get() == "zh":
        return f"{number} {COUNTED[one]}"
    return in_english(number, one)


def spoken(word: str) -> str:
    """A name that may be a word of ours (a stage, a metric) in the language of the block; any other
    stays as it is."""
    return say(word) if word in CHINESE else word


COUNTED: Mapping[str, str] = {
    "task": "项任务",
    "model": "个模型",
    "item": "道题",
    "cluster": "组",
    "wording": "种措辞",
    "step": "步",
    "line": "条线",
}
OVERALL = "mean of the tasks of all models, guessing 0, perfect 100"
CHINESE: Mapping[str, str] = {
    OVERALL: "所有模型共有任务的平均（随机为 0，满分为 100）",
    # lists
    ", ": "、",
    "; ": "；",
    ". ": "。",
    "{names} and {n} more": "{names} 等另 {n} 个",
    "task": "任务",
    "wording": "措辞",
    # verdicts
    "better": "更好",
    "equivalent": "相当",
    "worse": "更差",
    "undetermined": "未定",
    "no number": "无数值",
    "{verdict} on {n}": "{n} 项{verdict}",
    "{counts} of {tasks}": "{tasks}中 {counts}",
    "{child} against {parent}": "{child} 对比 {parent}",
    "against {parent}": "对比 {parent}",
    # numbers and axes
    "score": "得分",
    "{metric}, points": "{metric}，分",
    "{axis}, lower is better": "{axis}，越低越好",
    "none": "无",
    "no stage": "未知阶段",
    "published": "已发布",
    "base": "基座",
    "parameters": "参数量",
    "tokens per second": "每秒词元数",
    "rank": "名次",
    "P(best)": "P(最佳)",
    "Holm p": "Holm p",
    "Holm p {p}": "Holm p {p}",
    "MDE {size}": "MDE {size}",
    "verdict": "结论",
    "no score": "无得分",
    "{one} to {other}": "{one} 至 {other}",
    "Bars: intervals.": "短线：区间。",
    "Not drawn, no score: {names}.": "未画出（无得分）：{names}。",
    "Without a name for want of room: {names}.": "因空间不足未标名：{names}。",
    # differences
    "◀ worse": "◀ 更差",
    "better ▶": "更好 ▶",
    "points [{level} interval]": "分 [{level} 区间]",
    "! prompt-fragile": "! 随措辞而变",
    "no number: {why}": "无数值：{why}",
    "not drawn: no range": "未画出：没有取值范围",
    "{value}, no interval": "{value}，无区间",
    "random-effects mean": "随机效应均值",
    "plain mean": "简单均值",
    "all tasks": "所有任务",
    "no metric": "无指标",
    "lower is better": "越低越好",
    "{name}: {told}": "{name}：{told}",
    "{told}, {verdict}": "{told}，{verdict}",
    "{told}. {why}": "{told}。{why}",
    # forest
    "{pair}, task by task": "{pair}，逐任务",
    "{pair}: there is no task.": "{pair}：没有任务。",
    "no kind": "未分类",
    "pooled": "合并",
    "no pooled number": "没有合并数值",
    "all {tasks} pooled {numbers} points": "全部{tasks}合并 {numbers} 分",
    "{pair}: {tally}; {pooled}.": "{pair}：{tally}；{pooled}。",
    "Shaded: differences too small to matter (ROPE). Holm p: adjusted over its tasks. MDE: the "
    "smallest difference that so many items would find with a power of 0.8.": (
        "阴影：小到可忽略的差别（ROPE）。Holm p：在该对比的各任务间校正。"
        "MDE：这么多题目以 0.8 的功效能发现的最小差别。"
    ),
    "{tasks} where lower is better: turned round, so that right is better.": (
        "{tasks}越低越好：已翻转，右边表示更好。"
    ),
    "{tasks} whose metric does not go from 0 to 1: the axis is in points of its range, the numbers "
    "are in its own unit.": (
        "{tasks}的指标不在 0 到 1 之间：坐标轴为其量程的百分比，数值为其自身单位。"
    ),
    "Pooled: chance-normalised, from guessing at 0 points to the best score at 100.": (
        "合并值按随机水平归一：随机猜测为 0 分，满分为 100 分。"
    ),
    # wordings
    "{task} by wording": "{task} 逐措辞",
    "{task} was asked in one wording.": "{task} 只以一种措辞提问。",
    "as usual": "默认",
    "all wordings": "所有措辞",
    "Prompt-fragile: {why}.": "随措辞而变：{why}。",
    "Lower is better: turned round, so that right is better.": "越低越好：已翻转，右边表示更好。",
    "{counted}, {numbers}; pooled {pooled}.": "{counted}，{numbers}；合并 {pooled}。",
    "{counted}, least and greatest: {numbers}; pooled {pooled}.": (
        "{counted}，最小和最大：{numbers}；合并 {pooled}。"
    ),
    # flips
    "Items from {parent} to {child}": "从 {parent} 到 {child} 的题目",
    "There are no items.": "没有题目。",
    "fixed": "改对",
    "broken": "改错",
    "same right": "仍对",
    "same wrong": "仍错",
    "same": "不变",
    "not comparable": "无法对比",
    "Graded scores of {metric}: same is a difference of at most {rope}.": (
        "{metric} 为分级得分：差别不超过 {rope} 视为不变。"
    ),
    "Each cell is {n} items; the last of a kind may be fewer.": (
        "每格代表 {n} 道题；每类最后一格可能较少。"
    ),
    "Not comparable: one of the two has no score.": "无法对比：两者之一没有得分。",
    "{items} from {parent} to {child}: {told}.": "从 {parent} 到 {child} 的{items}：{told}。",
    "{n} {fate}": "{n} 题{fate}",
    # lengths
    "{metric} by length of replies": "{metric} 与回答长度",
    "No model has both a score and replies of known length.": (
        "没有模型同时具有得分和已知的回答长度。"
    ),
    "mean characters of a reply": "回答的平均字符数",
    "Arrows: from a parent to its child. Bars: intervals.": (
        "箭头：从父模型到子模型。短线：区间。"
    ),
    "Not drawn, no score or no length: {names}.": "未画出（无得分或无长度）：{names}。",
    "{length} characters, {metric} {score}": "{length} 个字符，{metric} {score}",
    "{metric} by length of replies, {models}.": "{metric} 与回答长度，{models}。",
    "{metric} by length of replies, {models}: of {steps} from parent to child {longer} "
    "made replies longer, {better} of these with a better score.": (
        "{metric} 与回答长度，{models}：从父模型到子模型的{steps}中，{longer} 步使回答变长，"
        "其中 {better} 步得分更好。"
    ),
    # cost
    "Score against {cost}": "得分与{cost}",
    "score, points between guessing and perfect": "得分，随机猜测与满分之间的分",
    "No model has both a score and {cost}.": "没有模型同时具有得分和 {cost}。",
    "{cost}, less is better": "{cost}，越少越好",
    "{cost}, more is better": "{cost}，越多越好",
    "Line and ring: the Pareto front. Dashed ring: may be on it, as far as the intervals tell. "
    "Bars and boxes: intervals.": (
        "实线与圆环：帕累托前沿。虚线圆环：就区间而言可能在前沿上。短线与方框：区间。"
    ),
    "Not drawn, no score or no {cost}: {names}.": "未画出（无得分或无{cost}）：{names}。",
    "{amount} {cost}, score {score}": "{cost} {amount}，得分 {score}",
    "Score against {cost}, {models}: {front} on the Pareto front.": (
        "得分与{cost}，{models}：{front} 在帕累托前沿上。"
    ),
    "Score against {cost}, {models}: {front} on the Pareto front; {may_be} may be, as far as the "
    "intervals tell.": (
        "得分与{cost}，{models}：{front} 在帕累托前沿上；就区间而言 {may_be} 也可能在。"
    ),
    # ranks
    "Ranks that each model can have": "各模型可能的名次",
    "No models were ranked.": "没有模型参与排名。",
    "rank {best}": "名次 {best}",
    "ranks {best} to {worst}": "名次 {best} 至 {worst}",
    "{name}: {ranks}, P(best) {p}": "{name}：{ranks}，P(最佳) {p}",
    "Not told apart: {names}": "无法分辨：{names}",
    "Strips: the ranks that a model can have, all at once with {level} confidence. Dot: expected "
    "rank. Brackets: models that cannot be told apart.": (
        "横条：模型可能的名次，以 {level} 的置信度同时成立。圆点：期望名次。括线：无法分辨的模型。"
    ),
    "{drawn} of {all} brackets are drawn.": "共 {all} 条括线，画出 {drawn} 条。",
    "Of {models} {names} is the best.": "{models}中 {names} 最好。",
    "Of {models} {names} may be the best.": "{models}中 {names} 可能最好。",
    # sizes
    "{metric} by model size": "{metric} 与模型规模",
    "No model of known size has a score.": "没有已知规模的模型具有得分。",
    "{name}, {size} parameters: {told}": "{name}，{size} 参数：{told}",
    "Not drawn, size not known: {names}.": "未画出（规模未知）：{names}。",
    "Dashed: {name}, {score}.": "虚线：{name}，{score}。",
    "a coin": "抛硬币",
    "{score} at {size}": "{size} 时 {score}",
    "{axis} by size: {told}.": "{axis}与规模：{told}。",
    # slopes
    "Scores from stage to stage": "逐阶段得分",
    "No lineage has scores of two stages.": "没有谱系具有两个阶段的得分。",
    "Points of each metric's range, up is better. Orange, thick, ▼ after the last step: a tax, "
    "whose interval lies below 0 and does not exclude a fall by the task's margin. Dashed: "
    "undetermined. Bands: intervals of the scores.": (
        "各指标量程的百分比，向上为好。橙色粗线、最后一步后的 ▼：有税，其区间低于 0 "
        "且不排除下降达到任务的容限。虚线：未定。色带：得分的区间。"
    ),
    "{lines} without a name for want of room.": "{lines}因空间不足未标名。",
    "on {n} of {tasks} ({names})": "{tasks}中 {n} 项（{names}）",
    "a tax in the step to {stage} {on}": "到 {stage} 的一步有税：{on}",
    "{title}, {first} to {last}: {told}.": "{title}，{first} 至 {last}：{told}。",
    "no step is a tax": "没有哪一步有税",
    "{scores}; tax in the last step": "{scores}；最后一步有税",
    # lineages
    "Lineage": "谱系",
    "There are no models.": "没有模型。",
    "Number of tasks: {words}.": "任务数：{words}。",
    "{pair}: {tally}": "{pair}：{tally}",
    "{pair}: {tally}.": "{pair}：{tally}。",
    "{ways} and {n} more": "{ways} 等另 {n} 组",
    "{models}, {span}": "{models}，{span}",
    "{head}.": "{head}。",
    "{head}; {ways}.": "{head}；{ways}。",
}
