"""Mistakes about which torch says nothing: the gradient is wrong, or stays where no name reaches it.

Each function finds one kind in a recording. It must be silent about sound programs: it speaks only where torch's own
numbers, or the way they took, show the mistake.
"""
