"""Labs: plain PyTorch programs written from settings, and what their recordings draw.

One module per lab, each with frozen settings, `program_text(settings, …)` and pure figures of (recording, settings).
Nothing is computed here that torch should say: a lab writes a program, a worker runs it, figures read the recording.
"""
