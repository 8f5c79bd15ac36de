"""The style of an article: few rules, in the reader's own colours, for light and dark pages."""

CSS = """
.llmtrace{line-height:1.45;overflow-x:auto}
.llmtrace h2,.llmtrace h3,.llmtrace h4{font-size:1em;margin:1em 0 .2em}
.llmtrace p,.llmtrace dl{margin:.25em 0}
.llmtrace dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1em}
.llmtrace dd{margin:0}
.llmtrace table{border-collapse:collapse;margin:.4em 0;font-variant-numeric:tabular-nums}
.llmtrace th,.llmtrace td{padding:.1em .6em;text-align:left;vertical-align:top;border:0}
.llmtrace th{font-weight:600}
.llmtrace .n{text-align:right;white-space:nowrap}
.llmtrace .name,.llmtrace .number,.llmtrace .value,.llmtrace .total{font-weight:600}
.llmtrace .quiet{opacity:.75}
.llmtrace .formula{font-style:italic}
.llmtrace a{color:inherit;text-decoration:underline dotted;text-underline-offset:.15em}
.llmtrace .set-in{margin-left:1.5em}
.llmtrace .bar{display:inline-block;height:.7em;background:currentColor;opacity:.6}
.llmtrace .histogram{display:inline-flex;align-items:flex-end;height:1em;gap:1px}
.llmtrace .histogram i{width:.3em;background:currentColor;opacity:.6}
.llmtrace .heat td{min-width:1.6em;text-align:center;border:1px solid rgba(128,128,128,.25)}
.llmtrace figure{margin:.4em 0}
.llmtrace svg{max-width:100%;height:auto}
"""
