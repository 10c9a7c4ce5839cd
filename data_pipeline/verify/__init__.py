"""The three checks a sample must pass, in this order; `checks.Checker` runs them, calls in batches.

    format_check.check_format        it is well formed, and its calls fit the schemas of the tools
    execution.execute_all            its calls really run and return something
    semantic.check_semantic          its calls answer its query, and nothing in them is made up

A check never raises over a bad sample: it names the reason, one of the codes its module lists.
"""
