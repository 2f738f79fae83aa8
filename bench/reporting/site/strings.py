"""Every word of the interface in English and Chinese, by key.

Templates say `t("key")`; `{names}` stand for values. Results themselves are not translated.

>>> strings_of("zh")["better"]
Markup('更好')
"""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from markupsafe import Markup

from bench.reporting.site.digits import count
from bench.reporting.site.judgment_strings import JUDGMENT_STRINGS
from bench.reporting.site.metric_strings import METRIC_STRINGS
from bench.reporting.site.page_strings import PAGE_STRINGS

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@cache
def strings_of(language: Language) -> dict[str, Markup]:
    """The strings of one language."""
    place = LANGUAGES.index(language)
    return {key: Markup(both[place]) for key, both in STRINGS.items()}


def counted_in(language: Language, key: str, number: int) -> Markup:
    """The string `key` of a number of things; `{s}` is the s of the English plural."""
    return strings_of(language)[key].format(n=count(number), s="" if number == 1 else "s")


STRINGS: Mapping[str, tuple[str, str]] = {
    **PAGE_STRINGS,
    **JUDGMENT_STRINGS,
    **METRIC_STRINGS,
    # every page
    "language_code": ("en", "zh-Hans"),
    "language_name": ("English", "中文"),
    "stop": (".", "。"),
    "colon": (": ", "："),
    "none": ("none", "无"),
    "skip": ("Skip to the content", "跳到正文"),
    "pages": ("Pages", "页面"),
    "overview": ("Overview", "总览"),
    "compare": ("Compare", "对比"),
    "judgments": ("Judgments", "评判"),
    "methods": ("Methods", "方法"),
    "changelog": ("Changelog", "更新记录"),
    "theme": ("Theme", "主题"),
    "theme_auto": ("as the system", "跟随系统"),
    "theme_light": ("light", "浅色"),
    "theme_dark": ("dark", "深色"),
    "feed": ("Feed (Atom)", "订阅（Atom）"),
    "intervals_note": (
        "Brackets are {level} intervals. Differences of a lineage are child minus parent, on the "
        "items that both answered.",
        "方括号内为 {level} 区间。谱系中的差值为子模型减父模型，只计两者都回答了的题目。",
    ),
    "download": ("Download:", "下载："),
    "figure_lineage": ("Lineage", "谱系"),
    "figure_forest": ("Task by task", "逐任务对比"),
    "figure_slope": ("Stage by stage", "逐阶段变化"),
    "figure_flips": ("Items that flipped", "得分改变的题目"),
    "figure_ranks": ("Ranks", "名次"),
    "figure_sizes": ("Score by size", "得分与规模"),
    "figure_win_sizes": ("Win rate by size", "胜率与规模"),
    "figure_length": ("Score by length of reply", "得分与回答长度"),
    "figure_pareto": ("Score by cost", "得分与成本"),
    "figure_variants": ("Wording by wording", "逐措辞对比"),
    "chart_data": ("Numbers of this chart", "图中数据"),
    "cut_rows": ("The first {shown} of {all} rows.", "共 {all} 行，这里是前 {shown} 行。"),
    # tables and their controls
    "filters": ("Filters of the table", "表格筛选"),
    "search": ("Search", "搜索"),
    "columns": ("Columns", "列"),
    "reset": ("Reset", "重置"),
    "rows_shown": ("{shown} of {all} rows", "共 {all} 行，显示 {shown} 行"),
    "facet_stage": ("Stage", "阶段"),
    "facet_base": ("Base model", "基座模型"),
    "facet_recipe": ("Recipe", "训练配方"),
    "facet_kind": ("Kind of task", "任务类型"),
    "facet_language": ("Language of task", "任务语言"),
    "sort_by": ("Sort by {column}", "按{column}排序"),
    "sort_hint": (
        "With Shift held down, sorts by this column after the others",
        "按住 Shift 则在已有排序之后再按此列排序",
    ),
    # verdicts
    "better": ("better", "更好"),
    "equivalent": ("equivalent", "相当"),
    "worse": ("worse", "更差"),
    "undetermined": ("undetermined", "未定"),
    "no_number": ("no number", "无数值"),
    "tax": ("tax", "有税"),
    "no_tax": ("no tax", "无税"),
    "fragile": ("hangs on the wording", "随措辞而变"),
    # sentences
    "sentence_counts": (
        "{child} against {parent}: {counts} of {tasks} task{s}",
        "{child} 对比 {parent}：{tasks} 项任务中{counts}",
    ),
    "sentence_nothing": (
        "{child} against {parent}: no number on any task: {why}",
        "{child} 对比 {parent}：没有任何任务有数值：{why}",
    ),
    "nothing_shared": ("no task in common", "没有共同的任务"),
    "sentence_pooled": (
        "pooled {value} points {interval} ({level}), P(better) {p}",
        "合并差值 {value} 分 {interval}（{level}），P(更好) {p}",
    ),
    "sentence_tax": ("alignment tax: {taxes}", "对齐税：{taxes}"),
    "sentence_join": ("; ", "；"),
    "list_join": (", ", "、"),
    "count_better": ("better on {n}", " {n} 项更好"),
    "count_equivalent": ("equivalent on {n}", " {n} 项相当"),
    "count_worse": ("worse on {n}", " {n} 项更差"),
    "count_undetermined": ("undetermined on {n}", " {n} 项未定"),
    "count_no_number": ("no number on {n}", " {n} 项无数值"),
    "tax_tax_on": ("paid on {n}", "{n} 项有税"),
    "tax_undetermined_on": ("undetermined on {n}", "{n} 项未定"),
    "tax_no_tax_on": ("none on {n}", "{n} 项无税"),
}
