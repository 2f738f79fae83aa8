"""Remarks of the statistics and comparisons in Chinese, by their English form.

A remark is made where the numbers are, in English; pages in Chinese look its form up here.
`{places}` stand for values. Called by `bench.reporting.site.remarks`.
"""

from collections.abc import Mapping

REMARKS: Mapping[str, str] = {
    # what may be compared
    "task differs ({one} against {other})": "任务不同（{one} 对 {other}）",
    "variant differs ({one} against {other})": "措辞不同（{one} 对 {other}）",
    "task version differs ({one} against {other})": "任务版本不同（{one} 对 {other}）",
    "rows or scoring differ (digests {one} against {other})": (
        "题目或评分方式不同（摘要 {one} 对 {other}）"
    ),
    "dtype differs ({one} against {other})": "数据类型不同（{one} 对 {other}）",
    "{key} differs ({one} against {other})": "{key} 不同（{one} 对 {other}）",
    "prompts differ, though neither was asked through a chat template": (
        "提示词不同，而两者都没有使用对话模板"
    ),
    "only the child has a chat template; the other was asked in plain text": (
        "只有子模型有对话模板，另一个以纯文本提问"
    ),
    "only the parent has a chat template; the other was asked in plain text": (
        "只有父模型有对话模板，另一个以纯文本提问"
    ),
    "prompts differ by their chat templates": "提示词因对话模板而不同",
    "the parent was not run in these wordings": "父模型没有用这些措辞运行",
    "the parent was not run on this task": "父模型没有运行此任务",
    "wordings left out: {names}": "略去的措辞：{names}",
    "the parent was not scored by {metric}": "父模型没有 {metric} 得分",
    "{metric} is defined otherwise for the parent: {how}": "父模型的 {metric} 定义不同：{how}",
    "row {name} is not the same item in both": "第 {name} 行在两者中不是同一道题",
    "row {name} and {n} more is not the same item in both": (
        "第 {name} 行及另外 {n} 行在两者中不是同一道题"
    ),
    "no items that both were scored on": "没有两者都有得分的题目",
    "items left out, not scored in both: {n}": "略去 {n} 道并非两者都有得分的题目",
    "items left out, not scored for all of these models: {n}": (
        "略去 {n} 道并非所有这些模型都有得分的题目"
    ),
    "left out: {n} of {all} tasks, which have no number or no bounds": (
        "略去 {all} 项任务中没有数值或没有上下限的 {n} 项"
    ),
    "judges are taken as they are here: others may prefer otherwise": (
        "此处评审按其本身计，换一批评审偏好可能不同"
    ),
    # verdicts and what carries a difference
    "the interval excludes 0, the p-value does not": "区间不含 0，但 p 值不显著",
    "the interval excludes 0, the p-value adjusted for the other tasks does not": (
        "区间不含 0，但按其他任务校正后的 p 值不显著"
    ),
    "length may explain the difference: where both replies are equally long it is "
    "{value} [{lo}, {hi}]": "差别可能来自长度：双方回答一样长时为 {value} [{lo}, {hi}]",
    "replies that can be read in one model alone carry the difference": (
        "差别来自只有一方能读出答案的回答"
    ),
    "replies that one model refuses and the other gives carry the difference": (
        "差别来自一方拒答而另一方作答的题目"
    ),
    "replies that are cut off in one model alone carry the difference": (
        "差别来自只有一方被截断的回答"
    ),
    "parsed in the parent alone": "仅父模型可读出答案",
    "parsed in the child alone": "仅子模型可读出答案",
    "parsed in both or in neither": "两者都可读出或都不可",
    "refused in the parent alone": "仅父模型拒答",
    "refused in the child alone": "仅子模型拒答",
    "refused in both or in neither": "两者都拒答或都不拒",
    "cut off in the parent alone": "仅父模型被截断",
    "cut off in the child alone": "仅子模型被截断",
    "cut off in both or in neither": "两者都被截断或都没有",
    "at equal length": "等长时",
    "rises under {rises}; falls under {falls}": "在 {rises} 下上升；在 {falls} 下下降",
    "rises under {names}; undecided under {others}": "在 {names} 下上升；在 {others} 下未定",
    "falls under {names}; undecided under {others}": "在 {names} 下下降；在 {others} 下未定",
    # intervals
    "one independent item: no interval": "只有一道独立的题目：没有区间",
    "fewer than two independent items: no interval": "独立的题目不足两道：没有区间",
    "equal values on a scale without bounds: no interval": "数值全部相等且量表无界：没有区间",
    "equal differences on a scale without bounds: no interval": (
        "差值全部相等且量表无界：没有区间"
    ),
    "too few discordant pairs (fewer than {n})": "不一致的配对太少（不足 {n}）",
    "only {n} clusters: the interval may be too narrow": "只有 {n} 组：区间可能过窄",
    "only {n} clusters: rank sets may be too narrow": "只有 {n} 组：名次集合可能过窄",
    "only {n} prompts: the interval may be too narrow": "只有 {n} 个提示词：区间可能过窄",
    "only {n} annotators: the interval may be too narrow": "只有 {n} 位评审：区间可能过窄",
    "only {n} units: the interval may be too narrow": "只有 {n} 个单元：区间可能过窄",
    "one sample of each item: its noise cannot be told from the items' differences": (
        "每题只有一个样本：无法区分采样噪声与题目差异"
    ),
    # all tasks in one
    "tasks left out, without estimate or standard error: {n}": (
        "略去 {n} 项没有估计值或标准误的任务"
    ),
    "tasks where nothing varies, given the largest standard error: {n}": (
        "{n} 项任务没有任何变化：取最大的标准误"
    ),
    "no tasks": "没有任务",
    "one task": "只有一项任务",
    "nothing varies in any task": "所有任务都没有变化",
    "fewer than {n} tasks do not tell how much tasks differ (tau): "
    "a half-normal prior of scale {scale} says how much": (
        "不足 {n} 项任务无法得知任务间差异（tau）：由尺度为 {scale} 的半正态先验给出"
    ),
    "tasks differ more than that prior allows for (tau {tau}): "
    "is its scale in units of the estimates?": (
        "任务间差异超出该先验（tau {tau}）：其尺度与估计值单位一致吗？"
    ),
    "the winner's score does not vary: no correction": "最高者的得分没有变化：不作校正",
    "another did as well: which of them is best is open": "另有模型同样好：谁最好未定",
    # judgments
    "all judgments are of one prompt: no interval": "所有评判都来自同一个提示词：没有区间",
    "all judgments are of one prompt: no standard error": (
        "所有评判都来自同一个提示词：没有标准误"
    ),
    "nothing varies between prompts: no interval": "提示词之间没有变化：没有区间",
    "nothing varies between units: no interval": "单元之间没有变化：没有区间",
    "all ratings are equal: nothing to disagree about": "所有评分相同：无从谈起是否一致",
    "left out, with fewer than two ratings: {n} of {all}": (
        "略去评分不足两个的：{all} 个中的 {n} 个"
    ),
    "{share} of the ratings are {value}: little is left beyond chance": (
        "{share} 的评分为 {value}：除偶然外所余无几"
    ),
    "judges may agree by chance alone: others may prefer otherwise": (
        "评审之间的一致可能只是偶然：换一批评审偏好可能不同"
    ),
    "one annotator: how much another would differ is not in the error": (
        "只有一位评审：误差不含换一位评审的差异"
    ),
    "the two-way variance is negative: V_prompt + V_annotator instead": (
        "双向方差为负：改用 V_prompt + V_annotator"
    ),
    "annotator {name} gave {share} of the judgments": "评审 {name} 给出了 {share} 的评判",
    "one model came first {n} of {all} times: the slot stands for the model": (
        "{all} 次中某一模型先展示了 {n} 次：位置与模型混在一起"
    ),
    "wins and losses are separated: no finite fit": "长度把胜负完全分开：没有有限的拟合",
    "only {n} of {all} answers are as long as the baseline's or longer": (
        "{all} 个回答中只有 {n} 个不短于对比对象"
    ),
    "only {n} of {all} answers are as short as the baseline's or shorter": (
        "{all} 个回答中只有 {n} 个不长于对比对象"
    ),
    "{n} of {all} refits have no finite fit": "{all} 次重新拟合中 {n} 次没有有限的拟合",
    "no ties: no tie parameter": "没有平局：没有平局参数",
    "never lost to the rest: {names}; prior of half a win and half a loss": (
        "从未输给其余模型：{names}；加入半胜半负的先验"
    ),
    "{n} clusters for {all} parameters": "{n} 组对 {all} 个参数",
    "clusters cancel out or are too few: in part errors of independent judgments": (
        "各组相互抵消或太少：部分误差按独立评判计"
    ),
    "only {n} judgments of {name}": "{name} 只有 {n} 次评判",
    "a cycle: {names} (its closest pair {n} : {all})": (
        "循环：{names}（其中最接近的一对 {n} : {all}）"
    ),
    "not linked by judgments: {names}": "评判没有把它们联系起来：{names}",
    "no finite fit: outcomes follow from covariates without fail: {names}": (
        "没有有限的拟合：胜负完全由协变量决定：{names}"
    ),
}
