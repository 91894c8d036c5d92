"""The expression language: from text to a program of shared nodes, and the two forms that run it (rules E1–E10).

``parse`` (text to tree) → ``check`` (types, timeframes, limits, parameters) → ``program`` (a DAG as data) →
``evaluate`` (over arrays, and one bar at a time) and ``stepper`` (base bars in, values out, for one instrument).
"""
