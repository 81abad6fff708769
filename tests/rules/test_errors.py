"""Every row of the table against the words of the installed torch."""

from __future__ import annotations

import pytest
from recorded import recorded

import explorer
from explorer.i18n import LANGUAGES
from explorer.rules import error_hint, notice_text, notices
from explorer.rules.errors import error_topic
from explorer.rules.hints import HINTS, WARNINGS, hint_key

LEAF = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n"
TWO = LEAF + "b = torch.ones(3, requires_grad=True)\nx.sum().backward()\n"
LAYER = "layer = torch.nn.Linear(3, 1)\n"
ROUNDS = "for _ in range(2):\n    (x * x).sum().backward()\n    {update}"
UPDATED = "y = (x * x).sum()\nx.sum().backward()\n{update}\ny.backward()"
CUSTOM = """
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * y
    @staticmethod
    def backward(ctx, g):
        return {returned}
F.apply(x, 2).sum().backward()
"""

NET = "net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))\n"
PASS = "net(torch.ones(2)).sum().backward()\n"
HOLDER = """
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleDict({'a': torch.nn.Linear(2, 1)})
    def forward(self, x):
        return self.layers['a'](x)
    def norm(self):
        return self.layers['a'].weight.grad.norm()
net = Net()
"""
RESIZE = "torch.nn.functional.interpolate(torch.ones({}), {})"
NOT_APPLIED = LEAF + CUSTOM.replace("F.apply", "F.forward")
USES = LEAF + CUSTOM.replace("return {returned}", "{uses}\n        return g, None")

PROGRAMS = [
    ("second_time", LEAF + "y = (x * x).sum()\ny.backward()\ny.backward()"),
    ("second_time", LEAF + "h = x.exp()\nh.sum().backward()\n(h * 2).sum().backward()"),
    ("no_history", "torch.ones(3).sum().backward()"),
    ("no_history", LEAF + "x.detach().sum().backward()"),
    ("no_history", LEAF + "with torch.no_grad():\n    y = x.sum()\ny.backward()"),
    ("no_history", LEAF + "x.argmax().backward()"),
    ("no_history", LEAF + "g, = torch.autograd.grad((x**2).sum(), x)\ntorch.autograd.grad(g.sum(), x)"),
    ("modified_in_place", LEAF + "y = x.exp()\ny.add_(1)\ny.sum().backward()"),
    ("not_scalar", LEAF + "(x * 2).backward()"),
    ("not_real", LEAF + "(x * 1j).sum().backward()"),
    ("seed_shape", LEAF + "(x * 2).backward(torch.ones(2))"),
    ("leaf_in_place", LEAF + "x -= 0.1"),
    ("leaf_view_in_place", LEAF + "x[0] = 5."),
    ("none", LEAF + "x.grad.zero_()"),
    ("none", LEAF + "n = x.sum().backward()\nn.item()"),
    ("none", LEAF + "x.data -= 0.1 * x.grad"),
    ("none", LEAF + "x.grad[0]"),
    ("none", LEAF + "torch.sqrt(x.grad)"),
    ("integers", "x = torch.tensor([1, 2], requires_grad=True)"),
    ("integers", "x = torch.arange(3)\nx.requires_grad_(True)"),
    ("integers", "x = torch.arange(3)\nx.requires_grad = True"),
    ("unused", LEAF + "w = torch.ones(3, requires_grad=True)\ntorch.autograd.grad(x.sum(), w)"),
    ("flag_of_result", LEAF + "y = x * 2\ny.requires_grad = False"),
    ("flag_of_result", LEAF + "y = x * 2\ny.requires_grad_(False)"),
    ("retain_grad_of_constant", "torch.ones(3).retain_grad()"),
    ("numpy", LEAF + "x.numpy()"),
    ("optimize_result", LEAF + "torch.optim.SGD([x * 2], lr=0.1)"),
    ("assign_parameter", LAYER + "layer.weight = torch.ones(1, 3)"),
    (
        "module_hook_in_place",
        LEAF
        + LAYER
        + "layer.register_full_backward_hook(lambda m, i, o: None)\ny = layer(x)\ny += 1\ny.sum().backward()",
    ),
    ("one_of_several_views", LEAF + "a, b, c = (x * 2).split(1)\na += 1"),
    ("one_of_several_views", LEAF + "a, b, c = (x * 2).unbind()\na += 1"),
    ("view_made_in_no_grad", LEAF + "y = x * 2\nwith torch.no_grad():\n    v = y[:2]\nv += 1"),
    (
        "nan",
        "x = torch.tensor(0., requires_grad=True)\n"
        "with torch.autograd.set_detect_anomaly(True):\n    (x.sqrt() * 0).backward()",
    ),
    ("hook_on_constant", "torch.ones(3).register_hook(print)"),
    ("hook_on_result", LEAF + "(x * 2).register_post_accumulate_grad_hook(print)"),
    ("custom_number", LEAF + CUSTOM.format(returned="g")),
    ("custom_shape", LEAF + CUSTOM.format(returned="torch.ones(7), None")),
    ("sizes", "torch.ones(3) + torch.ones(4)"),
    ("sizes", "torch.ones(4, 3) * torch.ones(4)"),
    ("matmul_shapes", "torch.ones(4, 3) @ torch.ones(4, 3)"),
    ("dot_sizes", "torch.dot(torch.ones(3), torch.ones(4))"),
    ("dtypes", "torch.ones(2, 3) @ torch.ones(3, 2, dtype=torch.float64)"),
    ("dtypes", "torch.dot(torch.arange(3), torch.arange(3.))"),
    ("dtypes", LAYER + "layer(torch.ones(3, dtype=torch.float64))"),
    ("not_one_element", LEAF + "float(x)"),
    ("not_one_element", LEAF + "x.item()"),
    ("truth_of_many", LEAF + "if x > 0:\n    pass"),
    ("undefined_name", "y = xx * 2"),
    ("no_history_no_grad", LEAF + "with torch.no_grad():\n    y = x[2]\ntorch.autograd.graph.get_gradient_edge(y)"),
    ("number_backward", LEAF + "y = x.sum().item()\ny.backward()"),
    ("number_backward", "y = 3\ny.backward()"),
    ("forgotten_call", LEAF + "y = x.sum\ny.backward()"),
    ("forgotten_call", LEAF + "x.clone * 2"),
    ("forgotten_call", LAYER + "torch.optim.SGD(layer.parameters, lr=0.1)"),
    ("forgotten_call", "def f():\n    pass\nf.backward()"),
    ("several_results", LEAF + "x.max(dim=0).backward()"),
    ("super_init", "class M(torch.nn.Module):\n    def __init__(self):\n        self.l = torch.nn.Linear(3, 1)\nM()"),
    ("forward_missing", LEAF + "class M(torch.nn.Module):\n    pass\nM()(x)"),
    ("unknown_attribute", LEAF + "x.bakward()"),
    ("unknown_attribute", LEAF + "[x.sum()].grad"),
    ("index_out", LEAF + "x[5]"),
    ("index_out", "[][0]"),
    ("fewer_dimensions", LEAF + "x[0, 1]"),
    ("fewer_dimensions", LEAF + "x.sum()[0]"),
    ("fewer_dimensions", LEAF + "len(x.sum())"),
    ("fewer_dimensions", LEAF + "for one in x.sum():\n    pass"),
    ("dimension_out", LEAF + "x.sum(dim=2)"),
    ("reshape", "torch.ones(3, 4).view(5, 2)"),
    ("product_shapes", "torch.ones(2, 2) @ torch.ones(3)"),
    ("product_shapes", LEAF + "x.mm(x)"),
    ("product_shapes", LEAF + "x.sum() @ x"),
    ("sizes", LEAF + "x.expand(4)"),
    ("nested_lists", "torch.tensor([1.0], [2.0])"),
    ("ragged", "torch.tensor([[1.0, 2.0], [3.0]])"),
    ("not_numbers", "torch.tensor([1.0, 'a'])"),
    ("tensors_in_a_list", LEAF + "torch.cat(x, x)"),
    ("tensor_wanted", "torch.sqrt(4.0)"),
    ("arguments", LEAF + "torch.softmax(x)"),
    ("arguments", LEAF + "def f(a):\n    return a\nf(x, x)"),
    ("arguments", LEAF + "x.sum().backward(retain_grad=True)"),
    ("operand_types", LEAF + "x + [1, 2]"),
    ("integer_mean", "torch.arange(3).mean()"),
    ("labels", "torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0.0, 1.0]))"),
    ("labels", "torch.nn.Embedding(3, 2)(torch.ones(1))"),
    ("labels", "torch.nn.functional.one_hot(torch.ones(1))"),
    ("labels", "torch.ones(3).gather(0, torch.tensor([0.0]))"),
    ("label_out", "torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))"),
    ("dtype_unsupported", LEAF + "x & x"),
    ("optimizer_list", LEAF + "torch.optim.SGD(x, lr=0.1)"),
    ("optimizer_empty", "torch.optim.SGD([], lr=0.1)"),
    ("not_iterable", LAYER + "torch.optim.SGD(layer, lr=0.1)"),
    ("not_iterable", LEAF + "x.backward(1)"),
    ("not_callable", LEAF + "x.shape()"),
    ("not_callable", LEAF + "x.requires_grad(True)"),
    ("unpack", LEAF + "a, b = x"),
    ("no_gpu", LEAF + "x.to('cuda')"),
    ("recursion", "def f(n):\n    return f(n)\nf(1)"),
    ("grad_of_constant", LEAF + "torch.autograd.grad(x.sum(), torch.ones(3))"),
    ("zero_division", "1 / 0"),
    ("inference", LEAF + "with torch.inference_mode():\n    h = x * 2\nh * x"),
    ("inference", LEAF + "with torch.inference_mode():\n    h = x * 2\nh.add_(1)"),
    ("tuple", LEAF + "torch.autograd.grad(x.sum(), x).norm()"),
    (
        "custom_static",
        LEAF
        + "import warnings\nwarnings.simplefilter('ignore')\nclass F(torch.autograd.Function):\n    def forward(self, x):\n        return x * 1\nF()(x)",
    ),
    (
        "custom_backward_missing",
        LEAF
        + "class F(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        return x * 1\nF.apply(x).sum().backward()",
    ),
    (
        "custom_saved",
        LEAF
        + "class F(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        ctx.save_for_backward(3.0)\n        return x * 1\nF.apply(x)",
    ),
    ("probabilities", "torch.nn.BCELoss()(torch.tensor([1.5]), torch.ones(1))"),
    ("same_shape", "torch.nn.BCELoss()(torch.ones(4, 1), torch.ones(4))"),
    ("same_shape", "torch.nn.functional.cross_entropy(torch.ones(4, 3), torch.zeros(3).long())"),
    ("same_shape", LEAF + "torch.stack([x, torch.ones(2)])"),
    ("view_layout", "torch.ones(2, 3).t().view(6)"),
    ("channels", "torch.nn.Conv2d(3, 4, 3)(torch.ones(1, 1, 8, 8))"),
    ("node_variable", LEAF + "(x * 2).grad_fn.variable"),
    ("singular", "torch.linalg.inv(torch.ones(2, 2))"),
    ("singular", "torch.linalg.solve(torch.ones(2, 2), torch.ones(2))"),
    ("not_positive_definite", "torch.linalg.cholesky(-torch.eye(2))"),
    ("not_square", "torch.linalg.det(torch.ones(2, 3))"),
    ("matrix_of_nan", "torch.linalg.svd(torch.full((2, 2), torch.nan))"),
    ("state_keys", LAYER + "layer.load_state_dict({'w': torch.ones(1)})"),
    ("state_sizes", LAYER + "layer.load_state_dict(torch.nn.Linear(1, 3).state_dict())"),
    ("state_wanted", LAYER + "layer.load_state_dict(layer)"),
    ("deepcopy_result", LEAF + "import copy\ncopy.deepcopy(x * 2)"),
    ("none", "torch.tensor(None)"),
    ("integers", LEAF + "x.data = torch.ones(3).long()"),
    ("loss_of_numbers", "torch.nn.MSELoss(1, 2).backward()"),
    ("tensor_wanted", LEAF + "torch.nn.functional.l1_loss(x, 1.0)"),
    ("tensor_wanted", LEAF + "torch.nn.MSELoss()(x, [1.0])"),
    ("tensor_wanted", LEAF + "torch.cat([x, 3.0])"),
    ("tensor_wanted", LEAF + "torch.autograd.grad(x.sum(), 'x')"),
    ("forgotten_call", "with torch.no_grad:\n    pass"),
    ("setting", "torch.nn.Dropout(2.0)"),
    ("setting", LEAF + "torch.optim.SGD([x], lr=-1.0)"),
    ("joined_sizes", "torch.cat([torch.ones(2, 3), torch.ones(3, 2)])"),
    ("mask", LEAF + "x[torch.tensor([True])]"),
    ("one_label_each", "torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.zeros(2, 1).long())"),
    ("class_probabilities", "torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.ones(2, 3).long())"),
    ("fractions", "torch.arange(3).add_(0.5)"),
    ("scores_first", "torch.nn.functional.cross_entropy(torch.tensor([0, 1]), torch.ones(2, 3))"),
    (
        "class_weights",
        "torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), weight=torch.ones(2))",
    ),
    ("image_dimensions", "torch.nn.Conv2d(1, 1, 3)(torch.ones(9))"),
    ("image_dimensions", "torch.nn.MaxPool2d(2)(torch.ones(4))"),
    ("window", "torch.nn.Conv2d(1, 1, 5)(torch.ones(1, 1, 3, 3))"),
    ("batch_of_one", "torch.nn.BatchNorm1d(3)(torch.ones(1, 3))"),
    ("features", "torch.nn.LayerNorm(4)(torch.ones(2, 3))"),
    ("features", "torch.nn.LSTM(4, 4)(torch.ones(2, 3))"),
    ("divisible", "torch.nn.MultiheadAttention(5, 2)"),
    ("modules_wanted", "torch.nn.Sequential(torch.relu)"),
    ("index_out", "torch.nn.Sequential()[3]"),
    ("index_kind", LEAF + "x[1.0]"),
    ("index_kind", LEAF + "x[torch.tensor([0.0])]"),
    ("dimension_out", LEAF + "x.permute(1, 0)"),
    ("product_shapes", "torch.ones(2, 2).mm(torch.ones(2))"),
    ("einsum", "torch.einsum('ij,jk->ik', torch.ones(2, 3), torch.ones(2, 3))"),
    ("ragged", "torch.tensor([[1.0], 2.0])"),
    ("not_numbers", "torch.arange('3')"),
    ("dtype_name", "torch.ones(3, dtype='float32')"),
    ("whole_number", "torch.randn(3.0)"),
    ("whole_number", LEAF + "range(x)"),
    ("whole_number", "torch.randn(-1)"),
    ("flag", LEAF + "x.requires_grad_('True')"),
    ("flag", LEAF + "x.requires_grad = 'yes'"),
    ("capital_tensor", "torch.Tensor([1.0], requires_grad=True)"),
    ("arguments", LEAF + "torch.where(x > 0, x)"),
    ("text", LEAF + "'loss ' + x"),
    ("not_one_element", LEAF + "f'{x:.2f}'"),
    ("rounded", LEAF + "round(x, 2)"),
    ("label_out", "torch.nn.functional.one_hot(torch.tensor([2]), 2)"),
    ("optimizer_list", "torch.optim.SGD([1.0])"),
    ("scheduler", LAYER + "torch.optim.lr_scheduler.StepLR(layer, 1)"),
    ("not_scalar", LEAF + "torch.func.grad(torch.sin)(x)"),
    ("assigned_grad", LEAF + "x.grad = 1.0"),
    ("assigned_grad", LEAF + "x.grad = torch.ones(2)"),
    ("distribution", "torch.distributions.Normal(0.0, -1.0)"),
    ("distribution", "torch.bernoulli(torch.tensor([2.0]))"),
    ("gradcheck", LEAF + "torch.autograd.gradcheck(torch.sin, x)"),
    ("equation_rows", "torch.linalg.lstsq(torch.ones(4, 2), torch.ones(3, 1))"),
    ("equation_rows", "torch.linalg.solve(torch.eye(3), torch.ones(2))"),
    ("two_groups", LEAF + "torch.optim.SGD([{'params': [x]}, {'params': [x]}])"),
    ("one_rate", LEAF + "torch.optim.SGD([x], lr=torch.ones(2))"),
    ("nesterov", LEAF + "torch.optim.SGD([x], nesterov=True)"),
    ("setting", LEAF + "torch.optim.Adam([x], eps=-1)"),
    ("setting_name", LEAF + "torch.optim.SGD([x], learning_rate=0.1)"),
    ("optimizer_list", "torch.optim.SGD(lr=0.1)"),
    ("closure", LEAF + "torch.optim.LBFGS([x]).step()"),
    ("comparison", LEAF + "torch.optim.SGD(0.1, [x])"),
    ("not_subscriptable", LEAF + "torch.optim.Adam([x], betas=0.9)"),
    ("optimizer_method", LEAF + "x.sum().zero_grad()"),
    ("optimizer_method", LEAF + "x.sum().step()"),
    ("module_called", "torch.optim([], lr=0.1)"),
    ("class_given", "torch.nn.Linear.parameters()"),
    ("resize_dimensions", RESIZE.format("4, 4", "scale_factor=2")),
    ("resize_dimensions", RESIZE.format("1, 4, 4", "scale_factor=2, mode='bilinear'")),
    ("resize_dimensions", RESIZE.format("1, 1, 4, 4", "scale_factor=2, mode='cubic'")),
    ("resize_size", RESIZE.format("1, 1, 4, 4", "")),
    ("resize_size", RESIZE.format("1, 1, 4, 4", "size=8, scale_factor=2")),
    ("resize_size", RESIZE.format("1, 1, 4, 4", "size=(1, 8, 8)")),
    ("resize_size", RESIZE.format("1, 1, 4, 4", "size=0")),
    ("resize_size", RESIZE.format("1, 1, 4, 4", "size=8.0")),
    ("align_corners", RESIZE.format("1, 1, 4, 4", "size=8, align_corners=True")),
    ("sampling_grid", "torch.nn.functional.grid_sample(torch.ones(1, 1, 4, 4), torch.ones(1, 4, 4))"),
    ("dtype_unsupported", "torch.nn.functional.interpolate(torch.ones(1, 1, 4, 4).long(), size=8, mode='bilinear')"),
    ("kernel_dimensions", "torch.nn.functional.conv2d(torch.ones(1, 1, 4, 4), torch.ones(3, 3))"),
    ("layer_dimensions", "torch.nn.BatchNorm2d(3)(torch.ones(4, 3))"),
    ("sequence_dimensions", "torch.nn.RNN(3, 5)(torch.ones(3))"),
    ("first_state", "torch.nn.RNN(3, 5)(torch.ones(7, 2, 3), torch.zeros(2, 5))"),
    ("first_state", "torch.nn.GRU(3, 5)(torch.ones(7, 2, 3), torch.zeros(1, 7, 5))"),
    ("tuple", LEAF + "torch.sin(torch.nn.RNN(3, 5)(torch.ones(7, 3)))"),
    ("tuple", LEAF + "x - torch.autograd.grad(x.sum(), x)"),
    ("tuple", LEAF + "torch.func.vjp(torch.sin, x)(x)"),
    ("sequence", LEAF + "0.1 * torch.autograd.grad(x.sum(), x)"),
    ("features", "m = torch.nn.MultiheadAttention(8, 2)\nq = torch.ones(4, 6)\nm(q, q, q)"),
    ("attention_arguments", "torch.nn.MultiheadAttention(8, 2)(torch.ones(4, 8))"),
    ("attention_mask", "torch.nn.TransformerEncoderLayer(8, 2)(torch.ones(4, 2, 8), torch.ones(3, 3))"),
    ("batches_of_matrices", "torch.ones(2, 4, 8) @ torch.ones(2, 4, 8)"),
    ("dtypes", "torch.nn.Conv2d(1, 1, 3)(torch.ones(1, 1, 8, 8).long())"),
    ("row_out", "torch.nn.Embedding(3, 2)(torch.tensor([-1]))"),
    ("rows_wanted", "torch.nn.Embedding(3, 2)([1])"),
    ("list_given", LEAF + "torch.mean([x.sum(), x.sum()])"),
    ("list_of_losses", LEAF + "[x.sum()].backward()"),
    ("same_shape", "torch.nn.functional.binary_cross_entropy_with_logits(torch.ones(4, 1), torch.ones(4))"),
    ("one_label_each", LEAF + "torch.nn.functional.cross_entropy(x, torch.tensor([1])).backward()"),
    ("label_out", "torch.nn.functional.one_hot(torch.tensor([-1]))"),
    ("joined_numbers", LEAF + "torch.cat([x.sum(), x.sum()])"),
    ("joined_sizes", "torch.cat([torch.ones(2), torch.ones(2, 2)])"),
    ("fewer_than_k", LEAF + "x.topk(5)"),
    ("picked_by_row", "torch.ones(2, 3).gather(1, torch.tensor([0, 1]))"),
    ("booleans", LEAF + "-(x > 0)"),
    ("booleans", LEAF + "(x > 0) - (x > 1)"),
    ("device_name", "torch.ones(3, device='gpu')"),
    ("flag", "torch.ones(3, requires_grad='True')"),
    ("super_init", "class M(torch.nn.Module):\n    def __init__(self):\n        super.__init__()\nM()"),
    ("super_init", "class M(torch.nn.Module):\n    def __init__(self):\n        self.k = 2\nM()(3)"),
    ("making", "class M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\nM(3)"),
    ("first_parameter", "class M(torch.nn.Module):\n    def forward(x):\n        return x\nM()(3)"),
    ("first_parameter", LEAF + CUSTOM.format(returned="g, None").replace("backward(ctx, g)", "backward(g)")),
    ("custom_numbers", LEAF + CUSTOM.format(returned="2.0, None")),
    ("hook_result", LEAF + "x.register_hook(lambda g: 2)\nx.sum().backward()"),
    ("hook_result", LEAF + "x.register_hook(lambda g: g.sum())\nx.sum().backward()"),
    ("no_parameter", LEAF + "x.register_hook(lambda: None)\nx.sum().backward()"),
    ("tensor_wanted", "torch.func.grad(torch.sin)(3)"),
    ("argnums", "torch.func.grad(torch.sin, argnums=1)(torch.tensor(1.0))"),
    ("vmap_sizes", "torch.func.vmap(torch.add)(torch.ones(3), torch.ones(4))"),
    ("vmap_sizes", "torch.func.vmap(torch.sin)(torch.tensor(1.0))"),
    ("vmap_numbers", "torch.func.vmap(lambda x: x.item())(torch.ones(3))"),
    ("vmap_numbers", "torch.func.vmap(lambda x: x if x > 0 else -x)(torch.ones(3))"),
    ("points_and_directions", "torch.func.jvp(torch.sin, torch.ones(3), torch.ones(3))"),
    ("backward_inside", "torch.func.grad(lambda x: x.sum().backward())(torch.ones(3))"),
    ("weights_by_name", LAYER + "torch.func.functional_call(layer, list(layer.parameters()), torch.ones(3))"),
    ("not_scalar", "torch.autograd.functional.hessian(torch.sin, torch.ones(2))"),
    ("function_outputs", "torch.autograd.functional.jacobian(lambda x: [x, x], torch.ones(2))"),
]


@pytest.mark.parametrize(("key", "program"), PROGRAMS)
def test_the_installed_torch_says_what_the_row_matches(key: str, program: str) -> None:
    recording = recorded(program)
    assert recording.error is not None
    assert hint_key(recording.error.message) == key, recording.error.message
    assert (error_topic(recording) or "").startswith(key) or key == "no_history"
    assert all(error_hint(recording, language) for language in LANGUAGES)


def test_every_row_is_raised_here() -> None:
    assert {key for key, _ in PROGRAMS} == {key for _, key in HINTS}


@pytest.mark.parametrize("program", ["x = torch.ones(3)", "raise ValueError('something else')", "raise TimeoutError"])
def test_no_hint_where_nothing_is_known(program: str) -> None:
    assert [error_hint(recorded(program), language) for language in LANGUAGES] == [None, None]


def test_what_the_runner_says_of_a_class_in_place_of_a_module() -> None:
    ending = explorer.run("import torch\ntorch.nn.Linear.parameters()")
    assert isinstance(ending, explorer.Failed)
    assert error_topic(ending.recording) == "class_given"


@pytest.mark.parametrize(
    ("topic", "program"),
    [
        ("loss_of_numbers", LEAF + "torch.nn.CrossEntropyLoss(x, x)"),
        ("truth_of_many", LEAF + "if torch.nn.MSELoss(reduction='none')(x, x) > 1:\n    pass"),
        ("index_kind", LEAF + "x['a']"),
        ("custom_static", NOT_APPLIED.format(returned="g, None")),
        ("custom_unsaved", USES.format(uses="x, = ctx.saved_tensors")),
        ("custom_unsaved", USES.format(uses="x, = ctx.saved_tensors").replace("\n", "\r")),
        ("custom_unsaved", USES.format(uses="ctx.k * g")),
        ("saved_tuple", USES.format(uses="x = ctx.saved_tensors\n        g * x")),
        ("own_attribute", "class M(torch.nn.Module):\n    def _init_(self):\n        self.k = 2\nM().k"),
        ("layer_not_called", LEAF + "from torch import nn\nnn.ReLU(x).sum()"),
        ("layer_not_called", "class M(torch.nn.Module):\n    pass\nM().backward()"),
        ("linear_features", LAYER + "layer(torch.ones(2, 4))"),
        ("linear_features", LAYER + "def f(x):\n    return layer(x)\nf(torch.ones(2, 4))"),
        ("first_state", "lstm = torch.nn.LSTM(3, 5)\nlstm(torch.ones(7, 2, 3), torch.zeros(1, 2, 5))"),
        ("optimizer_list", LEAF + "torch.optim.SGD([{'weights': [x]}])"),
        (
            "function_wanted",
            LEAF + "from torch.utils.checkpoint import checkpoint\ncheckpoint(x.exp(), use_reentrant=False)",
        ),
        ("no_second_order", LEAF + "(x ** 3).sum().backward()\nx.grad.sum().backward()"),
        ("no_history_misspelled", "x = torch.ones(3)\nx.require_grad = True\nx.sum().backward()"),
        ("step_argument", LEAF + "opt = torch.optim.SGD([x])\nopt.step(x.sum())"),
        ("function_wanted", LEAF + "torch.autograd.functional.jacobian(torch.sin(x), x)"),
        ("no_history", "torch.ones(3).sum().backward()"),
        ("no_history_elsewhere", LEAF + "torch.ones(3).sum().backward()"),
        ("missing_key", "{}['w']"),
        ("assertion", LEAF + "assert x.sum() == 5"),
        ("no_history_choice", LEAF + "x.argmax().backward()"),
        ("no_history_number", LEAF + "loss = torch.tensor(x.sum().item())\nloss.backward()"),
        ("no_history_no_grad", LEAF + "with torch.no_grad():\n    y = x.sum()\ny.backward()"),
        ("no_history_no_grad", LEAF + "with torch.no_grad():\n    y = x[2]\ny.backward()"),
        ("no_history_lost_mark", LEAF + ROUNDS.format(update="with torch.no_grad():\n        x = x - 0.1 * x.grad")),
        ("no_history_lost_mark", LEAF + ROUNDS.format(update="x = x.detach()")),
        ("no_history_detach", LEAF + "x.detach().sum().backward()"),
        ("no_history_detach", LEAF + "y = x.sum().detach()\nz = x > 1\ny.backward()"),
        ("no_history_sample", LEAF + "z = torch.distributions.Normal(x, 1.0).sample()\n(z * z).sum().backward()"),
        ("none", LEAF + "loss = x.sum().backward()\nloss.item()"),
        ("none_before_pass", LEAF + "x.grad.zero_()"),
        ("none_before_pass", LEAF + "torch.autograd.grad(x.sum(), x)\nx.data -= 0.1 * x.grad"),
        ("none_unreached", TWO + "0.5 * b.grad"),
        ("none_unreached", TWO + "b.grad.norm()"),
        ("none_unreached", TWO + "torch.sqrt(b.grad)"),
        ("none_unreached", TWO + "for p in [x, b]:\n    p.data -= 0.1 * p.grad"),
        ("none_unmarked", TWO + "c = torch.ones(3)\nc.grad * 2"),
        ("none_cleared", TWO + "torch.optim.SGD([x, b]).zero_grad()\nx.grad * 2"),
        ("none_cleared", TWO + "x.grad = None\nfor p in [x, b]:\n    p.data -= p.grad"),
        ("none_of_result", TWO + "x = x - 0.1 * x.grad\nx.sum().backward()\nx.grad * 2"),
        ("none_of_result", LEAF + ROUNDS.format(update="print(x.grad)\n    x = x - 0.1 * x.grad")),
        ("none_before_pass", NET + "net[0].weight.grad.zero_()"),
        ("none_before_pass", NET + "with torch.no_grad():\n    net[0].bias -= 0.1 * net[0].bias.grad"),
        ("none_unreached", NET + "net[1](torch.ones(2)).sum().backward()\nnet[0].weight.grad.norm()"),
        ("none_unmarked", NET + "net[0].requires_grad_(False)\n" + PASS + "for m in net:\n    m.weight.grad.norm()"),
        ("none_unmarked", NET + "net[-1].weight.requires_grad_(False)\n" + PASS + "net[-1].weight.grad.norm()"),
        ("none_unmarked", NET + "net[0].requires_grad_(False)\n" + PASS + "i = 0\nnet[i].bias.grad * 2"),
        ("none_withheld", LEAF + CUSTOM.format(returned="None, None") + "x.grad.norm()"),
        ("none_cleared", NET + PASS + "net.zero_grad()\nnet[1].weight.grad.norm()"),
        ("none_cleared", HOLDER + PASS + "net.zero_grad()\nnet.layers['a'].weight.grad.norm()"),
        ("none_cleared", HOLDER + PASS + "net.zero_grad()\nnet.norm()"),
        ("none", NET + "list(net.parameters())[0].grad.norm()"),
        ("modified_in_place", LEAF + "y = x.exp()\ny.add_(1)\ny.sum().backward()"),
        ("modified_parameter", LEAF + UPDATED.format(update="torch.optim.SGD([x], lr=0.1).step()")),
        ("modified_parameter", LEAF + UPDATED.format(update="with torch.no_grad():\n    x -= 0.1 * x.grad")),
        ("no_second_order", LEAF + "g, = torch.autograd.grad((x**2).sum(), x)\ntorch.autograd.grad(g.sum(), x)"),
        ("second_time", LEAF + "y = (x * x).sum()\ny.backward()\ny.backward()"),
        ("second_time", LEAF + "y = (x * x).sum()\nfor _ in range(2):\n    y.backward()"),
        ("second_time_in_loop", LEAF + "h = x\nfor _ in range(2):\n    h = h * x\n    h.sum().backward()"),
    ],
)
def test_the_recording_tells_more_than_the_message(topic: str, program: str) -> None:
    assert error_topic(recorded(program)) == topic


@pytest.mark.parametrize(
    ("key", "program"),
    [
        ("grad_of_result", LEAF + "y = x * 2\ny.sum().backward()\ny.grad"),
        ("target_size", "torch.nn.functional.mse_loss(torch.ones(4, 1), torch.ones(4))"),
        ("create_graph", LEAF + "(x * x).sum().backward(create_graph=True)\nx.grad = None"),
        ("rebuilt", LEAF + "torch.tensor([x[0] * 2, x[1]])"),
        ("rebuilt", LEAF + "torch.tensor(x.sum(), requires_grad=True)"),
        ("converted", LEAF + "float(x[0])"),
        ("converted", LEAF + "import math\nmath.sqrt(x[0])"),
        ("listed_twice", LEAF + "torch.optim.SGD([x, x])"),
        ("custom_made", LEAF + CUSTOM.replace("F.apply(x, 2).sum().backward()", "F(x, 2)").format(returned="g, None")),
    ],
)
def test_torch_warns_in_the_words_that_the_row_matches(key: str, program: str) -> None:
    ending = explorer.run("import torch\n" + program)  # in a process of its own: some warnings come once in each
    assert isinstance(ending, explorer.Completed)
    (notice,) = (notice for notice in notices(ending.recording) if notice.key == "warned")
    assert notice.advice == key
    assert all(notice_text(notice, language) for language in LANGUAGES)


WARNED = {"grad_of_result", "target_size", "create_graph", "rebuilt", "listed_twice", "custom_made"}


def test_every_warning_is_given_here() -> None:
    assert {key for _, key in WARNINGS} == WARNED
