"""The labs' pages. A new lab is a line here, a page, and a module in `explorer.labs`."""

LABS = {
    "derivative": "explorer/ui/labs/derivative_page.py",
    "gradient": "explorer/ui/labs/gradient_page.py",
    "jacobian": "explorer/ui/labs/jacobian_page.py",
    "descent": "explorer/ui/labs/descent_page.py",
    "accumulation": "explorer/ui/labs/accumulation_page.py",
    "check": "explorer/ui/labs/check_page.py",
    "flow": "explorer/ui/labs/flow_page.py",
}
"""Each lab's page, in the order of the tutorial; its name is `labs.<lab>.name`, its address `/<lab>`."""
