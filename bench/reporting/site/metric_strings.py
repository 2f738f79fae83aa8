"""What each measure of the replies is called, and what each metric over all items means.

Looked up through `bench.reporting.site.strings`.

    METRIC_STRINGS["measure_ece"]    ("calibration error (ECE)", "校准误差 (ECE)")
"""

from collections.abc import Mapping

METRIC_STRINGS: Mapping[str, tuple[str, str]] = {
    "measure_parsed": ("answer found", "读出答案"),
    "measure_refused": ("refused", "拒答"),
    "measure_cut_off": ("cut off", "被截断"),
    "measure_characters": ("characters", "字符数"),
    "measure_reference_characters": ("characters of the reference", "参考回答字符数"),
    "measure_came_first": ("shown first", "先展示"),
    "measure_judged_by": ("judge", "评审"),
    "measure_tokens": ("tokens", "词元数"),
    "measure_probability": ("probability of the choice", "所选项的概率"),
    "measure_correct": ("choice right", "所选项正确"),
    "measure_brier": ("squared error of the probabilities", "概率平方误差"),
    "measure_nll": ("surprise at what was right (nats)", "正确项的负对数概率 (奈特)"),
    "measure_distinct_1": ("distinct words", "不同词的比例"),
    "measure_distinct_2": ("distinct pairs of words", "不同词对的比例"),
    "measure_self_bleu": ("self-BLEU: likeness of the replies", "self-BLEU：回答之间的相似度"),
    "measure_ece": ("calibration error (ECE)", "校准误差 (ECE)"),
    "measure_squared_error": ("squared error of confidence", "置信度平方误差"),
    "other_metrics_told": ("What the other metrics mean", "其他指标的含义"),
    "aggregate_macro_f1": (
        "Mean over labels of the harmonic mean of precision and recall: higher is better, up to 1.",
        "各标签精确率与召回率调和平均的均值：越高越好，最高为 1。",
    ),
    "aggregate_mcc": (
        "Matthews correlation of labels given and true: higher is better, -1 to 1, 0 is chance.",
        "所给标签与真实标签的马修斯相关系数：越高越好，-1 至 1，0 为随机。",
    ),
    "aggregate_corpus_bleu": (
        "Overlap of word sequences with the references, over all items: higher is better.",
        "全部题目上与参考译文的词序列重合度：越高越好。",
    ),
    "aggregate_corpus_chrf": (
        "Overlap of character sequences with the references, over all items: higher is better.",
        "全部题目上与参考译文的字符序列重合度：越高越好。",
    ),
    "aggregate_ece": (
        "Expected calibration error: how far confidence is from being right, on average. Lower is "
        "better, 0 is a model that knows how often it is right.",
        "期望校准误差：置信度与正确率的平均差距。越低越好，0 表示模型清楚自己多常正确。",
    ),
    "aggregate_brier": (
        "Mean squared distance of the probabilities of all choices from the truth: lower is "
        "better, from 0 to 2.",
        "各选项概率与真实情况的均方距离：越低越好，0 至 2。",
    ),
    "aggregate_nll": (
        "Negative log-likelihood of the right choice, in nats: lower is better.",
        "正确选项的负对数似然（奈特）：越低越好。",
    ),
    "aggregate_distinct_1": (
        "Share of distinct words among all words of the replies: higher is more diverse.",
        "所有回答中不同词所占的比例：越高越多样。",
    ),
    "aggregate_distinct_2": (
        "Share of distinct pairs of neighbouring words: higher is more diverse.",
        "相邻词对中不同者所占的比例：越高越多样。",
    ),
    "aggregate_self_bleu": (
        "How much of a reply can be read in the other replies: lower is more diverse.",
        "一个回答有多少能在其他回答中读到：越低越多样。",
    ),
    "aggregate_win_rate_at_equal_length": (
        "The win rate that would be seen if both replies were equally long: higher is better.",
        "双方回答一样长时的胜率：越高越好。",
    ),
}
