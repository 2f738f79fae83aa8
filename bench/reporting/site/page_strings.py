"""The words that stand on one kind of page alone, in English and Chinese, page by page.

Looked up through `bench.reporting.site.strings`, which adds what all pages share.

    PAGE_STRINGS["lineage_of"]    ("Lineage of {root}", "{root} 的谱系")
"""

from collections.abc import Mapping

PAGE_STRINGS: Mapping[str, tuple[str, str]] = {
    # overview
    "board_counts": ("{models}, {tasks}, {changes}.", "共 {models}、{tasks}、{changes}。"),
    "n_models": ("{n} model{s}", "{n} 个模型"),
    "n_tasks": ("{n} task{s}", "{n} 项任务"),
    "n_comparisons": ("{n} comparison{s}", "{n} 组对比"),
    "board_date": ("Results of {first}.", "结果日期：{first}。"),
    "board_dates": ("Results from {first} to {last}.", "结果日期：{first} 至 {last}。"),
    "scores": ("Scores", "得分"),
    "scores_caption": (
        "The headline metric of every task, models by lineage",
        "各任务的主要指标，模型按谱系排列",
    ),
    "scores_note": (
        "Points (times 100) where the metric lies between 0 and 1, with {level} intervals. Ranks "
        "are sets that hold for all models at once; models that share a letter are not told "
        "apart. Every number leads to the items behind it.",
        "指标在 0 到 1 之间时以分（乘 100）表示，附 {level} 区间。名次为同时成立的区间；"
        "有共同字母的模型之间没有可分辨的差别。每个数字都链接到其背后的题目。",
    ),
    "model": ("Model", "模型"),
    "against_parent": ("Against parent", "对比父模型"),
    "against_parent_note": (
        "Paired difference over all tasks, in points between guessing and perfect",
        "所有任务的配对差值，单位为随机猜测与满分之间的分",
    ),
    "no_parent": ("no parent here", "本榜无其父模型"),
    "lower_is_better": ("lower is better", "越低越好"),
    "not_run": ("not run", "未运行"),
    "no_score": ("no score", "无得分"),
    "n_failed": ("{n} failed", "{n} 题失败"),
    "n_missing": ("{n} missing", "缺 {n} 题"),
    "rank": ("rank", "名次"),
    "rank_note": (
        "The ranks this model can have, for all models at once",
        "该模型可能的名次，对所有模型同时成立",
    ),
    "refused": ("Not compared", "未作对比"),
    "refused_note": (
        "Only what was asked the same way is compared. These pairs have no number; here is why.",
        "只有以相同方式提问的结果才作对比。以下各对没有数值，原因如下。",
    ),
    "trail": ("Where you are", "当前位置"),
    "contents": ("Contents", "目录"),
    "lineages": ("Lineages", "谱系"),
    "tasks": ("Tasks", "任务"),
    "models": ("Models", "模型"),
    "against": ("against", "对比"),
    "table_scores": ("scores", "得分"),
    "table_ranks": ("ranks", "名次"),
    "table_contrasts": ("differences", "差值"),
    "table_changes": ("comparisons", "对比"),
    "table_items": ("items", "题目"),
    "table_matches": ("matches", "对战"),
    "table_ratings": ("ratings", "评级"),
    # task
    "name": ("Name", "名称"),
    "version": ("version", "版本"),
    "source": ("Source", "来源"),
    "metric": ("Metric", "指标"),
    "stop_inside": (". ", "。"),
    "metric_facts": (
        "From {low} to {high}; differences within {rope} do not matter, a drop of {margin} counts "
        "as lost.",
        "取值 {low} 至 {high}；差别在 {rope} 以内可忽略，下降 {margin} 视为损失。",
    ),
    "metric_chance": ("Guessing gives {chance}.", "随机猜测为 {chance}。"),
    "digest": ("Digest", "摘要值"),
    "digests_differ": ("rows were asked different items", "各模型被问的题目不同"),
    "task_scores_caption": (
        "Every model in every wording, with {level} intervals",
        "每个模型在每种措辞下的得分，附 {level} 区间",
    ),
    "best_of": (
        "{label} has the highest mean of {n} models, {naive}. The highest of several is on average "
        "too high; corrected for having been chosen by these scores: {corrected}.",
        "{label} 在 {n} 个模型中均值最高：{naive}。多个中的最高者平均而言偏高；"
        "就其因这些得分入选作校正后为 {corrected}。",
    ),
    "from_sampling": (
        "{share} of the variance is sampling, {n} replies an item",
        "方差的 {share} 来自采样，每题 {n} 个回答",
    ),
    "wording": ("Wording", "措辞"),
    "usual": ("usual", "默认"),
    "all_wordings": ("all wordings", "所有措辞"),
    "p_best": ("P(best)", "P(最佳)"),
    "not_ranked": ("not ranked", "未排名"),
    "not_ranked_note": (
        "Ranked are three models or more that were asked alike on at least {fewest} independent "
        "items.",
        "至少三个模型以相同方式回答了不少于 {fewest} 道独立题目时才排名。",
    ),
    "items": ("Items", "题目"),
    "in_clusters": ("in {n} cluster{s}", "分 {n} 组"),
    "failed": ("failed", "失败"),
    "missing": ("missing", "缺失"),
    "right": ("right", "正确"),
    "wrong": ("wrong", "错误"),
    "full_marks": ("full marks", "满分"),
    "less": ("less", "非满分"),
    "other_metrics": ("Other metrics", "其他指标"),
    "changes": ("Comparisons", "对比"),
    "changes_caption": (
        "Paired differences on this task, child minus parent",
        "该任务上的配对差值，子模型减父模型",
    ),
    "comparison": ("Child / parent", "子模型 / 父模型"),
    "difference": ("Difference", "差值"),
    "verdict": ("Verdict", "结论"),
    "tax_column": ("Alignment tax", "对齐税"),
    "mde": ("MDE", "MDE"),
    "mde_note": (
        "The smallest difference that so many items find with a power of 0.8, among all tasks",
        "在全部任务中，这么多题目以 0.8 的功效能发现的最小差别",
    ),
    "matrix": ("Every item against every model", "每道题对每个模型"),
    "matrix_note": (
        "Each column is an item, from the easiest to the hardest, each line a model. The larger "
        "the square, the better the score; blue is better than the parent's, orange worse, grey "
        "the same or without a parent. A cross failed, an empty place is missing. Items with a "
        "page are links; the table below holds the same.",
        "每列是一道题，由易到难；每行是一个模型。方块越大得分越高；蓝色表示好于父模型，橙色更差，"
        "灰色相同或没有父模型。叉号表示失败，空白表示缺失。有页面的题目可点击；下表内容相同。",
    ),
    "items_table": (
        "Table of items: the {shown} of {all} on which the models are furthest apart",
        "题目表：{all} 题中各模型差别最大的 {shown} 题",
    ),
    "items_caption": ("How many models got each item", "每道题各有多少模型"),
    "item": ("Item", "题目"),
    "mean": ("mean", "均值"),
    "pages_cut": (
        "{pages} of the {texts} items with texts have a page: those on which the models are "
        "furthest apart. The downloads hold all scores.",
        "有文本的 {texts} 题中，{pages} 题有页面：各模型差别最大者。下载文件含全部得分。",
    ),
    "no_texts": (
        "There are no texts here, only scores: a site built from run folders has a page for each "
        "item.",
        "此处只有得分，没有文本：由运行目录生成的网站会为每道题生成页面。",
    ),
    "provenance": ("Where the numbers come from", "数据来源"),
    "reproduce": ("Command", "命令"),
    "unknown": ("unknown", "未知"),
    "started": ("Started", "开始时间"),
    "tool": ("Tool", "工具"),
    "scored_by": ("scored by", "评分："),
    "prompts_digest": ("prompts", "提示"),
    "setting": ("Setting", "设置"),
    "settings": ("Settings", "设置"),
    "environment": ("Environment", "环境"),
    "warnings": ("Warnings", "警告"),
    "note": ("Note", "备注"),
    "notes": ("Notes", "备注"),
    # lineage
    "lineage_of": ("Lineage of {root}", "{root} 的谱系"),
    "paper": ("Beside the paper", "与论文对照"),
    "paper_note": (
        "Ouyang et al. 2022 (arXiv 2203.02155), table 14. The paper asked thousands of items; the "
        "released samples, scored here, are 100 a task and wording, so differences of several "
        "points are to be expected.",
        "Ouyang 等 2022（arXiv 2203.02155）表 14。论文用了数千道题；公开样本在此重新评分，"
        "每个任务、每种措辞只有 100 道，相差几分属正常。",
    ),
    "paper_caption": ("Our numbers and the paper's, in points", "本榜与论文的数值（分）"),
    "paper_ours": ("Here", "本榜"),
    "paper_theirs": ("Paper", "论文"),
    "pooled_facts": (
        "Pooled over {tasks} by {method}; the plain mean of just these tasks, whatever "
        "others would show, is {macro}.",
        "以 {method} 合并 {tasks}；只就这些任务而言的简单均值为 {macro}。",
    ),
    "pooled_tau": ("Tasks differ by {tau} points (τ).", "任务间差异 τ 为 {tau} 分。"),
    "pooled_i2": (
        "Of the differences between tasks {i2}% is more than chance (I²).",
        "任务间差异中有 {i2}% 超出随机（I²）。",
    ),
    "contrasts_caption": (
        "Paired differences task by task, child minus parent",
        "逐任务的配对差值，子模型减父模型",
    ),
    "task": ("Task", "任务"),
    "p_better": ("P(better)", "P(更好)"),
    "p_raw": ("p", "p"),
    "p_holm": ("p (adjusted)", "p（校正后）"),
    "p_holm_note": ("Adjusted for all tasks of this comparison", "按该对比的全部任务校正"),
    "parent_child": ("Parent → child", "父模型 → 子模型"),
    "decomposition": ("What carries the difference", "差值由什么构成"),
    "decomposition_note": (
        "A gain may be answers that are right where they were wrong, or replies that can be read "
        "where they could not. The parts of one outcome add up to the whole. At equal length: what "
        "is left of the difference where both replies are equally long.",
        "提高可能来自由错变对的回答，也可能只是原先读不出、如今读得出的回答。同一结果的各部分之和等于总差值。"
        "“等长时”：两个回答一样长时剩下的差值。",
    ),
    "decomposition_caption": (
        "The difference split by what changed in the reply",
        "按回答中的变化拆分的差值",
    ),
    "part": ("Items", "题目"),
    "carries": ("Part of the difference", "构成的差值"),
    "shifts": ("What else changed in the replies", "回答的其他变化"),
    "shifts_caption": (
        "Length, refusals, replies that cannot be read, calibration: the same items in both; how "
        "varied all replies of each are has no interval",
        "长度、拒答、读不出的回答、校准：两者相同的题目；各自全部回答的多样性没有区间",
    ),
    "measure": ("Measure", "量"),
    "flips": ("Items that flipped", "得分改变的题目"),
    "flips_caption": (
        "Items whose score changed from parent to child, and those that changed most",
        "从父模型到子模型得分改变的题目，以及改变最大的",
    ),
    "flips_better": ("Better", "变好"),
    "flips_worse": ("Worse", "变差"),
    "flips_same": ("Same", "不变"),
    "flips_mended": ("Mended", "修好的"),
    "flips_broken": ("Broken", "弄坏的"),
    "what_differs": ("What differs besides the weights", "权重之外的不同"),
    "what_differs_caption": (
        "Recipe, settings and environment of parent and child",
        "父模型与子模型的配方、设置和环境",
    ),
    "no_changes": (
        "Nothing to compare: no parent or child of this model is on the board.",
        "没有可对比的：该模型的父模型和子模型都不在榜上。",
    ),
    "revision": ("Revision", "版本号"),
    "family": ("Family", "系列"),
    "parameters": ("Parameters", "参数量"),
    "recipe": ("Recipe", "训练配方"),
    "licence": ("Licence", "许可证"),
    "parent_policy": ("Trained from", "训练自"),
    "parent_reward": ("Judged by", "奖励模型"),
    "tasks_run": ("Tasks run", "已运行任务"),
    # item
    "prompt": ("Prompt", "提示"),
    "no_prompt": (
        "No prompt: the task has no item with this digest here. It may have changed since.",
        "没有提示：此处的任务没有摘要值相同的题目，可能已经更改。",
    ),
    "prompt_note": (
        "Without the solved examples, the system message and the chat template that the settings "
        "may add.",
        "不含设置可能加入的示例、系统消息和对话模板。",
    ),
    "accepted": ("Accepted answers", "可接受的答案"),
    "answers": ("Answers", "回答"),
    "sample": ("sample", "样本"),
    "no_text": ("The text is not here.", "此处没有文本。"),
    "text_cut": (
        "Cut: the first {shown} of {all} characters.",
        "已截断：共 {all} 个字符，这里是前 {shown} 个。",
    ),
    "nothing_read": ("No answer could be read from it.", "无法从中读出答案。"),
    "read_as": ("Read as", "读作"),
    "word_by_word": ("Word by word against {parent}", "与 {parent} 逐词对比"),
    "change_cut": ("Only the beginnings are compared.", "只对比了开头部分。"),
    # compare
    "compare_note": (
        "The first model minus the second, with {level} intervals. Parent and child are compared "
        "as on the page of their lineage; any other pair on the items that all models of the task "
        "answered, better or worse only where that holds for all pairs of the task at once, and "
        "without a number where fewer than three models or {fewest} independent items are left. "
        "The address of this page keeps your choice.",
        "第一个模型减第二个模型，附 {level} 区间。父子模型的对比与其谱系页相同；其他组合只计该任务"
        "所有模型都回答了的题目，且仅当对同一任务的所有组合同时成立时才称更好或更差；"
        "模型不足三个或独立题目不足 {fewest} 道时不给数字。页面地址会保存你的选择。",
    ),
    "choose_models": ("Choose models", "选择模型"),
    "pairs_caption": ("Paired differences of every pair", "每一对的配对差值"),
    "pairs_shown": ("{shown} of {all} pairs", "共 {all} 对，显示 {shown} 对"),
    "pair": ("Pair", "组合"),
    "summary": ("Tasks", "任务"),
    # methods
    "methods_lead": (
        "Written from the results. All intervals are {level}; missing is never counted as zero, "
        "and no seed depends on the time: the same results give the same page.",
        "本页由结果生成。所有区间均为 {level}；缺失从不计为零；随机种子与时间无关："
        "相同的结果给出相同的页面。",
    ),
    "statistics": ("Statistics", "统计方法"),
    "used_for": ("{n} number{s}", "{n} 个数值"),
    "no_description": ("No description here.", "此处没有说明。"),
    "seeds_note": (
        "Seeds of the draws behind rank sets, each derived from its scores:",
        "名次区间所用抽样的种子，均由得分导出：",
    ),
    "metrics": ("Metrics", "指标"),
    "metrics_caption": (
        "Range, guessing, and how large a difference must be to matter",
        "范围、随机猜测，以及多大的差别才算数",
    ),
    "range": ("Range", "范围"),
    "chance": ("Guessing", "随机猜测"),
    "margin": ("Margin", "界限"),
    "left_out": ("Left out", "未计入"),
    "left_out_caption": (
        "Failed: asked, without a reply that could be scored. Missing: never asked.",
        "失败：已提问，但没有可评分的回答。缺失：从未提问。",
    ),
    "damaged_runs": ("Damaged, and not on this board", "已损坏、未列入本榜"),
    "nothing_left_out": ("No item is without a score.", "所有题目都有得分。"),
    "nothing_refused": ("No comparison was refused.", "没有被拒绝的对比。"),
    "reasons": ("Reasons", "原因"),
    "tools": ("Versions", "版本"),
    "n_results": ("{n} result{s}", "{n} 个结果"),
    "texts_missing": ("Texts that are not here", "缺少的文本"),
    # changelog
    "changelog_note": ("From the dates of the results.", "依据结果的日期。"),
    "undated": ("undated", "无日期"),
    "entry_added": ("{model} was added", "新增 {model}"),
    "entry_more": ("{model} was run on more tasks", "{model} 运行了更多任务"),
    "entry_tasks": ("Tasks: {tasks}", "任务：{tasks}"),
}
