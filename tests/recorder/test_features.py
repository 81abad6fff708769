"""Everything that a program can do with autograd, one short program each."""

from __future__ import annotations

import pytest
import torch

from checker import PRELUDE, check_recording, events_of, nodes_ran, recorded, run_recorded, to_tensor
from explorer.model import Accumulated, BackwardEnded, BackwardStarted, GradCleared, Modified, NodeRan, Operation
from explorer.model.source import piece_at
from explorer.recorder import record
from explorer.recorder.names import MOST_ELEMENTS

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
W = "w = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)\n"
FUNCTION = "from torch.autograd import Function\nfrom torch.autograd.function import once_differentiable\n"
EDGE = "from torch.autograd.graph import get_gradient_edge\n"
CHECKPOINT = "from torch.utils.checkpoint import checkpoint, checkpoint_sequential\n"

PROGRAMS = {
    # several outputs, undefined gradients
    "sort": X + "values, _ = x.sort(descending=True)\n(values * torch.arange(3.0)).sum().backward()",
    "max over a dimension": W + "w.max(dim=0).values.sum().backward()",
    "split, one part unused": X + "a, b = x.split([1, 2])\nb.prod().backward()",
    "svd": W + "u, s, v = torch.linalg.svd(w, full_matrices=False)\ns.sum().backward()",
    "lstm cell": "cell = nn.LSTMCell(2, 3)\nh, c = cell(torch.ones(1, 2))\nh.sum().backward()",
    "lstm": "lstm = nn.LSTM(2, 3, num_layers=2)\nout, _ = lstm(torch.ones(4, 1, 2))\nout[-1].sum().backward()",
    # views and in-place changes
    "slices assigned": X + "y = x * 1\ny[1:] = x[:2] * 3\ny.sum().backward()",
    "transposed in place": W + "y = w * 1\ny.t().mul_(2)\ny.sum().backward()",
    "as strided": X + "y = x * 1\ny.as_strided((2,), (2,)).mul_(5)\ny.prod().backward()",
    "one view by another": X + "y = x * 1\na, b = y[0], y[1]\na.mul_(b.clone())\ny.sum().backward()",
    "view of a view": W + "y = w * 1\ny[1:][0].add_(w[0])\ny.sum().backward()",
    "shape in place": W + "y = w * 1\ny.unsqueeze_(0).squeeze_().t_()\ny[0].sum().backward()",
    "copy into zeros": X + "y = torch.zeros(3)\ny.copy_(x)\ny[1] *= 4\ny.sum().backward()",
    "index put": X
    + "y = torch.zeros(4)\ny.index_put_((torch.tensor([0, 0, 2]),), x, accumulate=True)\ny.sum().backward()",
    "relu in place": X + "y = F.relu(x - 2, inplace=True)\ny.sum().backward()",
    "out of a mask": X + "y = x.clone()\ny[y > 1] = 0\ny.sum().backward()",
    # functions of one's own
    "two outputs": FUNCTION + "class Both(Function):\n    @staticmethod\n    def forward(ctx, a, b):\n"
    "        ctx.save_for_backward(a, b)\n        return a * b, a + b\n    @staticmethod\n    def backward(ctx, g, h):\n"
    "        a, b = ctx.saved_tensors\n        return g * b + h, g * a + h\n"
    + X
    + "p, s = Both.apply(x, x.exp())\n(p + s).sum().backward()",
    "returns None": FUNCTION + "class Scale(Function):\n    @staticmethod\n    def forward(ctx, a, factor):\n"
    "        ctx.factor = factor\n        return a * factor\n    @staticmethod\n    def backward(ctx, g):\n"
    "        return g * ctx.factor, None\n" + X + "Scale.apply(x, 3).sum().backward()",
    "setup context": FUNCTION + "class Cube(Function):\n    @staticmethod\n    def forward(a):\n        return a**3\n"
    "    @staticmethod\n    def setup_context(ctx, inputs, output):\n        ctx.save_for_backward(*inputs)\n"
    "    @staticmethod\n    def backward(ctx, g):\n        (a,) = ctx.saved_tensors\n        return 3 * a**2 * g\n"
    + X
    + "Cube.apply(x).sum().backward()",
    "once differentiable": FUNCTION + "class Twice(Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        return a * 2\n    @staticmethod\n    @once_differentiable\n    def backward(ctx, g):\n        return g * 2\n"
    + X
    + "(Twice.apply(x) ** 2).sum().backward()",
    "marked dirty": FUNCTION
    + "class Add(Function):\n    @staticmethod\n    def forward(ctx, a):\n        ctx.mark_dirty(a)\n"
    "        return a.add_(1)\n    @staticmethod\n    def backward(ctx, g):\n        return g\n"
    + X
    + "y = x * 2\ny = Add.apply(y)\ny.sum().backward()",
    "not differentiable": FUNCTION + "class Top(Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        i = a.argmax()\n        ctx.mark_non_differentiable(i)\n        return a * 2, i\n    @staticmethod\n"
    "    def backward(ctx, g, _):\n        return g * 2\n" + X + "y, i = Top.apply(x)\ny.sum().backward()",
    "prints in both directions": FUNCTION + "class Loud(Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        print('there')\n        return a * 2\n    @staticmethod\n    def backward(ctx, g):\n        print('back', g)\n"
    "        return g * 2\n" + X + "Loud.apply(x).sum().backward()",
    # higher orders
    "gradient of a gradient": X
    + "x.pow(3).sum().backward(create_graph=True)\ng = x.grad\nx.grad = None\ng.sum().backward()",
    "penalty": "lin = nn.Linear(3, 1)\nx = torch.ones(2, 3, requires_grad=True)\ny = torch.tanh(lin(x))\n"
    "(g,) = torch.autograd.grad(y.sum(), x, create_graph=True)\n(y.mean() + (g.norm() - 1) ** 2).backward()",
    "own function twice": FUNCTION + "class Sine(Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        ctx.save_for_backward(a)\n        return a.sin()\n    @staticmethod\n    def backward(ctx, g):\n"
    "        (a,) = ctx.saved_tensors\n        return g * a.cos()\n"
    + X
    + "(g,) = torch.autograd.grad(Sine.apply(x).sum(), x, create_graph=True)\ng.sum().backward()",
    "hessian": X + "h = torch.autograd.functional.hessian(lambda a: (a**3).sum(), x)",
    "jacobian": X + "j = torch.autograd.functional.jacobian(lambda a: a.exp() * a.sum(), x)",
    # grad and backward with arguments
    "unused": X
    + "z = torch.ones(1, requires_grad=True)\ng = torch.autograd.grad((x * x).sum(), [x, z], allow_unused=True)",
    "materialized": X + "z = torch.ones(1, requires_grad=True)\n"
    "g = torch.autograd.grad((x * x).sum(), [x, z], allow_unused=True, materialize_grads=True)",
    "batched": X + "y = x.exp()\ng = torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True)",
    "gradient of a result": X + "y = x * 2\ng = torch.autograd.grad(y.pow(2).sum(), [y, x])",
    "several outputs of grad": X + "g = torch.autograd.grad([x.sum(), (x * x).sum()], x)",
    "backward to a result": X + "y = x * 2\ny.retain_grad()\ny.pow(2).sum().backward(inputs=[y])",
    "several roots": X + "a, b = x.exp(), x.sin()\ntorch.autograd.backward([a, b], [torch.ones(3), torch.ones(3)])",
    "one root twice": X + "y = (x * x).sum()\ntorch.autograd.backward([y, y])",
    "a leaf as root": "x = torch.tensor(2.0, requires_grad=True)\nx.backward()",
    # edges of the graph in place of tensors
    "edges only": EDGE
    + X
    + "y = x * x\ne = get_gradient_edge(y)\ntorch.autograd.backward(e, torch.ones(3), retain_graph=True)\n"
    "torch.autograd.backward([e, get_gradient_edge(y.sum())], [torch.arange(3.0), None])",
    "an edge and a tensor": EDGE + X + "y = x * x\n"
    "torch.autograd.backward([get_gradient_edge(y), x.sum()], [torch.ones(3), None], inputs=[x])",
    "grad of an edge": EDGE + X + "y = x * x\nz = (y * y).sum()\ne = get_gradient_edge(y)\n"
    "g = torch.autograd.grad(get_gradient_edge(z), [e, get_gradient_edge(x)], create_graph=True)\ng[1].sum().backward()",
    "edge of a second result": EDGE + X + "a, b = x.split([2, 1])\ntorch.autograd.backward(get_gradient_edge(b))",
    "edge of a leaf": EDGE + "x = torch.tensor(2.0, requires_grad=True)\ntorch.autograd.backward(get_gradient_edge(x))",
    "edges in a checkpoint": CHECKPOINT + EDGE + X + "y = checkpoint(lambda a: a.exp() * a, x, use_reentrant=True)\n"
    "torch.autograd.backward(get_gradient_edge(y), torch.ones(3))",
    "edge, own function": EDGE + FUNCTION + "class Inner(Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        ctx.save_for_backward(a)\n        return a**2\n    @staticmethod\n    def backward(ctx, g):\n"
    "        (a,) = ctx.saved_tensors\n        b = a.detach().requires_grad_()\n        with torch.enable_grad():\n"
    "            out = b**2\n        return torch.autograd.grad(get_gradient_edge(out), b, g)[0]\n"
    + X
    + "torch.autograd.backward(get_gradient_edge(Inner.apply(x * 2)), torch.ones(3))",
    "a pass in a forward": FUNCTION + "class Slope(Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        b = a.detach().requires_grad_()\n        with torch.enable_grad():\n            c = (b**3).sum()\n"
    "        (g,) = torch.autograd.grad(c, b)\n        ctx.save_for_backward(a)\n        return g\n    @staticmethod\n"
    "    def backward(ctx, g):\n        return g * 6 * ctx.saved_tensors[0]\n" + X + "Slope.apply(x).sum().backward()",
    "a pass in a hook": X + "w = torch.ones(3, requires_grad=True)\ny, z = x * 2, (w * w).sum()\n"
    "def hook(grad):\n    z.backward()\ny.register_hook(hook)\n(y * y).sum().backward()",
    "inputs that can be read once": "net = nn.Linear(2, 1)\nx = torch.ones(2, requires_grad=True)\n"
    "net(x).sum().backward(inputs=net.parameters())",
    "second result as root": X + "a, b = x.split([2, 1])\nb.backward()",
    "keyword arguments": X + "torch.autograd.backward(tensors=(x * x).sum(), retain_graph=True)",
    # hooks that look on
    "retained": X + "y = x * 2\ny.retain_grad()\n(y * y).sum().backward()\nprint(y.grad)",
    "capture": X
    + "y = x * 2\nh = torch.autograd.graph.register_multi_grad_hook([x, y], lambda g: None)\ny.sum().backward()",
    "saved tensors hooks": X
    + "with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), torch.from_numpy):\n"
    "    y = x.exp() * x\ny.sum().backward()",
    "saved on cpu": X + "with torch.autograd.graph.save_on_cpu():\n    y = x.exp() * x\ny.sum().backward()",
    # checkpoints
    "checkpoint": CHECKPOINT + X + "checkpoint(lambda a: a.exp().sin() * a, x, use_reentrant=False).sum().backward()",
    "checkpoint, nested pass": CHECKPOINT
    + X
    + "checkpoint(lambda a: a.exp().sin() * a, x, use_reentrant=True).sum().backward()",
    "checkpoint with dropout": CHECKPOINT
    + X
    + "checkpoint(lambda a: F.dropout(a * 2, 0.5), x, use_reentrant=True).sum().backward()\nprint(torch.rand(1))",
    "checkpoints in a row": CHECKPOINT + "net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.Tanh())\n"
    "x = torch.ones(1, 2, requires_grad=True)\ncheckpoint_sequential(net, 2, x, use_reentrant=True).sum().backward()",
    # modules
    "names": "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 1)])\n        self.scale = nn.Parameter(torch.ones(1))\n"
    "    def forward(self, a):\n        for layer in self.layers:\n            a = torch.tanh(layer(a))\n        return a * self.scale\n"
    "net = Net()\nnet(torch.ones(3, 2)).sum().backward()",
    "shared parameter": "a = nn.Linear(2, 2, bias=False)\nb = nn.Linear(2, 2, bias=False)\nb.weight = a.weight\n"
    "b(a(torch.ones(1, 2))).sum().backward()",
    "batch norm": "net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))\nnet(torch.randn(4, 2)).pow(3).sum().backward()",
    "attention": "net = nn.MultiheadAttention(4, 2, batch_first=True)\nx = torch.randn(1, 3, 4)\nnet(x, x, x)[0].pow(2).sum().backward()",
    "transformer": "net = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)\nnet(torch.randn(1, 3, 4)).pow(2).sum().backward()",
    "evaluation": "net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).eval()\nwith torch.inference_mode():\n    y = net(torch.ones(1, 2))\n"
    "net(torch.ones(1, 2)).sum().backward()",
    # element types and shapes
    "half": "x = torch.ones(3, dtype=torch.float16, requires_grad=True)\n(x * x).sum().backward()",
    "complex": "z = torch.tensor([1 + 2j, complex('nan')], requires_grad=True)\n(z * z.conj()).real.sum().backward()",
    "autocast": "lin = nn.Linear(2, 2)\nwith torch.autocast('cpu', dtype=torch.bfloat16):\n    y = lin(torch.ones(1, 2)).sum()\ny.backward()",
    "0-dim": "x = torch.tensor(3.0, requires_grad=True)\n(x * x).backward()",
    "empty": "x = torch.ones(0, 3, requires_grad=True)\n(x @ torch.ones(3, 2)).sum().backward()",
    "expanded": X + "y = x.expand(4, 3) * torch.arange(4.0)[:, None]\ny.sum().backward()",
    "sparse gradient": "table = nn.Embedding(5, 2, sparse=True)\ntable(torch.tensor([1, 3, 1])).sum().backward()",
    "sparse matrix": W + "m = torch.eye(3).to_sparse()\ntorch.sparse.mm(m, w).sum().backward()",
    "inf": X + "(x / (x - 1)).sum().backward()",
    "nan in and out": X + "y = x * float('nan')\ny.sum().backward()",
    # training
    **{
        f"optimizer {made}": "torch.manual_seed(0)\nnet = nn.Linear(2, 1)\n"
        f"optimizer = torch.optim.{made}\nfor _ in range(3):\n    optimizer.zero_grad()\n"
        "    (net(torch.ones(4, 2)) - 1).pow(2).mean().backward()\n    optimizer.step()\nprint(net.weight)"
        for made in (
            "SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)",
            "Adam(net.parameters())",
            "AdamW(net.parameters(), foreach=True)",
            "Adam(net.parameters(), fused=True)",
            "RMSprop(net.parameters(), centered=True)",
            "Adagrad(net.parameters())",
            "Adadelta(net.parameters())",
            "Rprop(net.parameters())",
            "NAdam(net.parameters())",
            "Adamax(net.parameters())",
        )
    },
    "lbfgs": X + "optimizer = torch.optim.LBFGS([x], max_iter=3)\ndef closure():\n    optimizer.zero_grad()\n"
    "    loss = (x**2).sum()\n    loss.backward()\n    return loss\noptimizer.step(closure)\nprint(x)",
    "scheduler": X + "o = torch.optim.SGD([x], lr=1.0)\ns = torch.optim.lr_scheduler.StepLR(o, 1)\nfor _ in range(2):\n"
    "    o.zero_grad()\n    (x * x).sum().backward()\n    o.step()\n    s.step()",
    "clipped": X + "(x**4).sum().backward()\nnn.utils.clip_grad_norm_([x], 1.0)\nprint(x.grad)",
    "anomaly": X + "with torch.autograd.set_detect_anomaly(True):\n    (x * x).exp().sum().backward()",
}

NESTED = "rows = [torch.ones(2, 3), torch.ones(1, 3)]\nx = torch.nested.nested_tensor(rows, layout=torch.{0}, requires_grad=True)\n{1}.sum().backward()"

CHANGED_ON_THE_WAY = {
    "tensor hook": X
    + "y = x * 2\ny.register_hook(lambda g: g * 10)\nx.register_hook(lambda g: g + 1)\ny.sum().backward()",
    "hook before a node": X + "y = x * 2\ny.grad_fn.register_prehook(lambda g: (g[0] * 3,))\ny.sum().backward()",
    "hook after a node, put there by a hook": "x = torch.ones(3, requires_grad=True)\na = x * 2\nb = a * 1\n"
    "put = lambda g: (a.grad_fn.register_hook(lambda sent, came: (sent[0] * 3, None)), g)[1]\n"
    "b.register_hook(put)\nb.sum().backward()",
    "hook after a node": X
    + "y = x * 2\ny.grad_fn.register_hook(lambda sent, came: (sent[0] * 3, *sent[1:]))\ny.sum().backward()",
    "hook in place": X + "y = x * 2\ny.register_hook(lambda g: g.mul_(2))\n(y * 3).sum().backward()",
    "module hooks": "net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))\n"
    "net[0].register_full_backward_hook(lambda m, sent, came: (sent[0],))\n"
    "net[1].register_full_backward_pre_hook(lambda m, came: (came[0] * 2,))\n"
    "net[0].register_forward_hook(lambda m, a, out: out * 2)\n"
    "net(torch.ones(1, 2, requires_grad=True)).sum().backward()",
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore")
def test_recording_is_what_torch_does(name: str) -> None:
    recording = check_recording(PROGRAMS[name])
    assert recording.error is None
    assert not recording.truncated
    assert recording.backward_passes


@pytest.mark.parametrize("parts", [("strided", "(x * 2).to_padded_tensor(0.0)"), ("jagged", "(x * 2).values()")])
@pytest.mark.filterwarnings("ignore")
def test_tensors_of_ragged_rows_have_no_numbers_to_show(parts: tuple[str, str]) -> None:
    recording = recorded(NESTED.format(*parts))
    assert (recording.error, nodes_ran(recording, 0)[-2:]) == (None, ["MulBackward0", "AccumulateGrad"])
    assert recording.grads["x"].values == ()
    assert recording.nodes[-1].value.values == (18,)


@pytest.mark.parametrize("name", CHANGED_ON_THE_WAY)
@pytest.mark.filterwarnings("ignore")
def test_hooks_of_the_program_change_what_is_recorded(name: str) -> None:
    assert check_recording(CHANGED_ON_THE_WAY[name], sums=False).error is None


@pytest.mark.parametrize("name", ["hook after a node", "hook after a node, put there by a hook"])
def test_post_hooks_of_the_program_see_what_it_changed_itself(name: str) -> None:
    """A node's numbers are those it sent on in the end; those before the program's hook are kept beside them."""
    recording = recorded(CHANGED_ON_THE_WAY[name])
    ran = {recording.node(event.node_id).name: event for event in events_of(recording, NodeRan)}
    assert ran["MulBackward0"].grad_inputs[0].values == (6.0, 6.0, 6.0)
    assert ran["MulBackward0"].computed[0].values == (2.0, 2.0, 2.0)
    assert ran["AccumulateGrad"].grad_outputs[0].values == (6.0, 6.0, 6.0)


def test_a_pass_inside_a_pass() -> None:
    recording = check_recording(PROGRAMS["checkpoint, nested pass"])
    outer, inner = recording.backward_passes
    assert nodes_ran(recording, 0)[-2:] == ["CheckpointFunctionBackward", "AccumulateGrad"]
    assert {"ExpBackward0", "SinBackward0"} <= set(nodes_ran(recording, 1))
    assert (outer.first < inner.first, inner.last < outer.last) == (True, True)


def test_where_a_pass_of_edges_starts_and_ends() -> None:
    recording = recorded(PROGRAMS["edge of a second result"] + "\n" + PROGRAMS["grad of an edge"])
    (second,), (z,), _ = (event.roots for event in events_of(recording, BackwardStarted))
    assert (second.variable, second.input_nr, second.value.shape, second.seed_grad) == ("b", 1, (1,), None)
    assert (z.variable, z.value.values, z.seed_grad) == ("z", (98.0,), None)
    assert [event.inputs for event in events_of(recording, BackwardStarted)] == [(), ("y", "x"), ()]
    assert [event.by for event in events_of(recording, BackwardStarted)] == ["backward", "grad", "backward"]


def test_a_pass_of_edges_begins_a_new_moment() -> None:
    x, seed = torch.ones(40, requires_grad=True), torch.ones(40)
    with record() as session:
        edge = torch.autograd.graph.get_gradient_edge(x * 2)
        torch.autograd.backward(edge, seed, retain_graph=True)
        assert x.grad is not None
        memory = x.grad.numpy()
        for _ in range(2):
            torch.autograd.backward(edge, seed, retain_graph=True)
            memory[:] = 7
    added = [event for event in session.recording.events if isinstance(event, Accumulated)]
    assert [event.before.values[0] for event in added if event.before] == [2, 7]


def test_a_pass_inside_of_a_forward() -> None:
    recording = check_recording(PROGRAMS["a pass in a forward"])
    assert nodes_ran(recording, 0)[0] == "SumBackward0"
    assert [event.by for event in events_of(recording, BackwardStarted)] == ["grad", "backward"]


def test_a_pass_that_a_hook_starts_is_one_of_its_own() -> None:
    recording = check_recording(PROGRAMS["a pass in a hook"])
    assert nodes_ran(recording, 0) == ["SumBackward0", "MulBackward0", "MulBackward0", "AccumulateGrad"]
    assert nodes_ran(recording, 1) == ["SumBackward0", "MulBackward0", "AccumulateGrad"]


def test_what_a_pass_is_limited_to_though_it_can_be_read_once() -> None:
    recording = recorded(PROGRAMS["inputs that can be read once"])
    assert events_of(recording, BackwardStarted)[0].inputs == ("net.weight", "net.bias")


def test_one_of_several_results_has_its_own_name_as_root() -> None:
    recording = recorded(
        X + "a, b = x.split([2, 1])\nb.backward(retain_graph=True)\ntorch.autograd.grad(b, [a, b], allow_unused=True)"
    )
    assert [event.roots[0].variable for event in events_of(recording, BackwardStarted)] == ["b", "b"]
    assert events_of(recording, BackwardStarted)[1].inputs == ("a", "b")


def test_what_a_checkpoint_computes_again_is_no_operation_of_the_program() -> None:
    recording = recorded(PROGRAMS["checkpoint"])
    assert [event.name for event in events_of(recording, Operation)].count("exp") == 1


def test_the_grad_is_seen_before_a_hook_of_the_program_clears_it() -> None:
    code = (
        X
        + "def step(leaf):\n    leaf.grad = None\nx.register_post_accumulate_grad_hook(step)\n(x * x).sum().backward()"
    )
    recording = check_recording(code)
    (accumulated,), (cleared,) = events_of(recording, Accumulated), events_of(recording, GradCleared)
    assert accumulated.after.values == cleared.before.values == (2.0, 4.0, 6.0)
    assert recording.grads == {"x": None}


def test_the_grad_is_seen_before_a_hook_of_the_program_scales_it() -> None:
    code = (
        X
        + "def scale(leaf):\n    leaf.grad.mul_(10)\nx.register_post_accumulate_grad_hook(scale)\nx.sum().backward()\nx.sum().backward()"
    )
    recording = check_recording(code)
    assert [event.after.values for event in events_of(recording, Modified)] == [(10.0,) * 3, (110.0,) * 3]
    assert [event.after.values for event in events_of(recording, Accumulated)] == [(1.0,) * 3, (11.0,) * 3]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_a_step_in_a_hook_is_seen(optimizer: str) -> None:
    code = f"opt = torch.optim.{optimizer}([x], lr=0.5)\ndef step(leaf):\n    opt.step()\n    opt.zero_grad()\n"
    code += "x.register_post_accumulate_grad_hook(step)\nfor _ in range(2):\n    (x * x).sum().backward()\nprint(x.tolist())"
    recording = check_recording(X + code)
    told = [
        type(event).__name__ for event in recording.events if isinstance(event, (Accumulated, Modified, GradCleared))
    ]
    assert told == ["Accumulated", "Modified", "GradCleared"] * 2
    changed = events_of(recording, Modified)[-1]
    assert (changed.variable, changed.of_grad) == ("x", False)
    assert str(list(changed.after.values)) == recording.printed.strip()
    assert recording.leaves[0].is_optimized


def test_what_hooks_of_nested_passes_do_to_a_leaf_is_noted_once_and_where_it_happened() -> None:
    code = "left = 2\ndef hook(leaf):\n    global left\n    with torch.no_grad():\n        x.sub_(1)\n"
    code += (
        "    left -= 1\n    if left >= 0:\n        with torch.enable_grad():\n            (x * x).sum().backward()\n"
    )
    recording = recorded(X + code + "x.register_post_accumulate_grad_hook(hook)\nx.sum().backward()")
    told = [event for event in recording.events if isinstance(event, (BackwardStarted, Modified, BackwardEnded))]
    assert [type(event) for event in told] == [BackwardStarted, Modified] * 3 + [BackwardEnded] * 3
    assert [event.after.values[0] for event in told if isinstance(event, Modified)] == [0, -1, -2]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_a_fused_step_is_seen(optimizer: str) -> None:
    code = f"opt = torch.optim.{optimizer}([x], lr=0.5, fused=True)\nx.sum().backward()\nopt.step()"
    session, variables, _ = run_recorded(PRELUDE + X + code)
    (changed,) = (event for event in events_of(session.recording, Modified) if not event.of_grad)
    assert changed.variable == "x"
    assert list(changed.after.values) == variables["x"].tolist()


def test_a_scaler_tells_that_it_scales_back() -> None:
    code = "opt = torch.optim.SGD([x], lr=1.0)\nscaler = torch.amp.GradScaler('cpu', init_scale=8.0)\n"
    recording = check_recording(X + code + "scaler.scale(x.sum()).backward()\nscaler.unscale_(opt)")
    (scaled,) = (event for event in events_of(recording, Modified) if event.of_grad)
    assert (scaled.before.values, scaled.after.values) == ((8.0,) * 3, (1.0,) * 3)


LAYER = "class Layer:\n    def __init__(self):\n        self.weight = torch.ones(2, 2, requires_grad=True)\n"
STACK = "class Stack:\n    def __init__(self):\n        self.layers, self.me = [Layer(), nn.Linear(2, 2)], self\n"
PLAIN_LIST = (
    "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layers = [Layer()]\n"
)


@pytest.mark.parametrize(("made", "name"), [
    ("s = Stack()", "s.layers[0].weight"),
    ("s = Stack()", "s.layers[1].weight"),
    ("s = [Stack()]", "s[0].layers[0].weight"),
    ("s = nn.ModuleList([Net()])", "s.0.layers[0].weight"),
    ("s = {'a': {'b': torch.ones(1, requires_grad=True)}}", "s['a']['b']"),
])  # fmt: skip
def test_a_leaf_in_an_object_has_its_whole_name(made: str, name: str) -> None:
    tensor = name.replace("s.0.", "s[0].")
    recording = recorded(LAYER + STACK + PLAIN_LIST + f"{made}\n{tensor}.sum().backward()")
    assert name in [leaf.name for leaf in recording.leaves]


INSIDE = "def again(leaf):\n    if not done:\n        done.append(1)\n        with torch.enable_grad():\n            {inside}\ndone = []\n"
INSIDE += "x.register_post_accumulate_grad_hook(again)\n(x * x).sum().backward()"


@pytest.mark.parametrize(("inside", "told"), [
    ("(leaf * 3).sum().backward()", ["Accumulated 1", "Accumulated 2"]),
    ("(leaf * 3).sum().backward(); leaf.grad = None", ["Accumulated 1", "Accumulated 2", "GradCleared 2"]),
    ("y = torch.ones(2, requires_grad=True); y.sum().backward()", ["Accumulated 1", "Accumulated 2"]),
])  # fmt: skip
def test_a_pass_in_a_hook_comes_after_what_called_the_hook(inside: str, told: list[str]) -> None:
    recording = recorded(X + INSIDE.format(inside=inside))
    found, begun = [], 0
    for event in recording.events:
        begun += isinstance(event, BackwardStarted)
        if isinstance(event, (Accumulated, Modified, GradCleared)):
            found.append(f"{type(event).__name__} {begun}")
    assert found == told


def test_a_pass_tells_of_every_leaf_whose_grad_it_adds_to() -> None:
    code = "a, b = (torch.ones(2, requires_grad=True) for _ in range(2))\n(a * 3).sum().backward()\nb.grad = a.grad\n"
    recording = check_recording(code + "(a * 2).sum().backward()")
    shared = events_of(recording, Modified)[-1]
    assert (shared.variable, shared.before.values, shared.after.values) == ("b", (3.0, 3.0), (5.0, 5.0))
    assert [value.values for value in recording.grads.values()] == [(5.0, 5.0)] * 2


HOOK = "def hook(grad):\n    grad.data.mul_(5)\n"
HOOKED = "y = x * 2\ny.register_hook(hook)\n"


@pytest.mark.parametrize("size", [3, 40, 2000])
@pytest.mark.parametrize("outside", [HOOKED, ""])
def test_a_hook_that_writes_through_data_is_seen(size: int, outside: str) -> None:
    """No version counter tells that the gradient has changed on its way, wherever the hook was put on it."""
    variables: dict[str, object] = {}
    exec(f"import torch\nx = torch.ones({size}, requires_grad=True)\n{HOOK}{outside}", variables)
    with record(source="") as session:
        exec(("" if outside else HOOKED) + "(y * 3).sum().backward()", variables)
    came = [event.grad_outputs[0].values[0] for event in events_of(session.recording, NodeRan)]
    assert came == [1.0, 1.0, 15.0, 30.0]


@pytest.mark.parametrize("change", ["leaf.grad.mul_(4)", "leaf.grad.data.mul_(4)", "leaf.grad = leaf.grad * 4"])
@pytest.mark.parametrize("ending", ["pass", "raise ValueError"])
def test_what_a_hook_makes_of_a_grad_is_seen_though_it_raises(change: str, ending: str) -> None:
    code = f"def hook(leaf):\n    {change}\n    {ending}\nx.register_post_accumulate_grad_hook(hook)\n"
    recording = recorded(X + code + "(x * 2).sum().backward()")
    (accumulated,), (modified,) = events_of(recording, Accumulated), events_of(recording, Modified)
    assert (accumulated.after.values, modified.after.values) == ((2.0,) * 3, (8.0,) * 3)
    assert recording.grads["x"].values == (8.0,) * 3


def test_what_came_to_a_function_of_ones_own_is_seen_before_it_changes_it() -> None:
    code = "class Seven(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, a):\n        return a * 1\n"
    code += "    @staticmethod\n    def backward(ctx, g):\n        return g.mul_(7)\n"
    recording = check_recording(code + X + "(Seven.apply(x * 2) * 3).sum().backward()", sums=False)
    own = next(event for event in events_of(recording, NodeRan) if recording.node(event.node_id).kind == "custom")
    assert (own.grad_outputs[0].values, own.grad_inputs[0].values) == ((3.0,) * 3, (21.0,) * 3)


def test_the_result_of_a_module_has_the_name_and_what_it_computed_before_has_none() -> None:
    recording = recorded(
        "net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True), nn.Linear(2, 1))\nout = net(torch.ones(2))\nloss = out.sum()"
    )
    named = [node.variable for node in recording.nodes if node.kind == "operation"]
    assert named == [None] * (len(named) - 2) + ["out", "loss"]
    assert [event.variable for event in recording.events if getattr(event, "variable", None)][-2:] == ["out", "loss"]
    assert [event.variable for event in recording.events if isinstance(event, (Operation, Modified))].count("out") == 1


@pytest.mark.parametrize("norm", ["spectral_norm", "weight_norm"])
def test_what_a_call_computes_has_not_the_name_of_what_it_returns(norm: str) -> None:
    code = f"lin = nn.utils.parametrizations.{norm}(nn.Linear(2, 2))\nout = lin(torch.ones(2))\nloss = out.sum()"
    recording = recorded(code)
    assert {node.variable for node in recording.nodes if node.kind == "operation"} == {None, "out", "loss"}
    assert not {event.variable for event in events_of(recording, Operation)} & {"lin"}
    assert all(leaf.name.startswith("lin.") for leaf in recording.leaves)


def test_a_name_that_is_given_in_a_loop_stays_with_every_result() -> None:
    recording = recorded(
        "cell = nn.Linear(2, 2)\nh = torch.ones(2)\nfor _ in range(3):\n    h = cell(h)\nh.sum().backward()"
    )
    assert [node.variable for node in recording.nodes].count("h") == 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("torch.func.grad(lambda a: (a**2).sum())(x)", "a"),
        ("torch.func.grad(lambda x: (x**2).sum())(x)", "x #2"),
        ("torch.func.vjp(torch.sin, x)", "x #2"),
        ("torch.func.jacrev(torch.sin)(x)", "x #2"),
        ("torch.func.grad(lambda p: (p['w'] ** 2).sum())({'w': x})", "p['w']"),
        ("torch.func.grad(torch.sum)(torch.ones(2))", "l1"),
    ],
)
def test_what_a_transform_makes_a_leaf_has_a_name_that_is_not_its_own(call: str, name: str) -> None:
    leaf = recorded(f"x = torch.ones(2)\ng = {call}").leaves[1]
    assert (leaf.name, leaf.is_named) == (name, False)


@pytest.mark.parametrize(("before", "name"), [(MOST_ELEMENTS - 1, f"ws[{MOST_ELEMENTS - 1}]"), (MOST_ELEMENTS, "l0")])
def test_of_a_long_list_the_first_elements_have_names(before: int, name: str) -> None:
    recording = recorded(f"ws = [0.0] * {before} + [torch.ones(1, requires_grad=True)]\n(ws[-1] * 2).backward()")
    assert recording.leaves[0].name == name


def test_undefined_gradients_are_none() -> None:
    recording = recorded(X + "a, b = torch.split(x, [1, 2])\nb.sum().backward()")
    split = next(event for event in events_of(recording, NodeRan) if len(event.grad_outputs) == 2)
    assert [grad is None for grad in split.grad_outputs] == [True, False]


def test_what_grad_returns_for_an_unused_input() -> None:
    recording = recorded(PROGRAMS["unused"])
    assert events_of(recording, BackwardEnded)[0].returned[1] is None
    materialized = recorded(PROGRAMS["materialized"])
    assert events_of(materialized, BackwardEnded)[0].returned[1].values == (0.0,)


@pytest.mark.parametrize("size", [3, 40])
def test_batched_gradients_have_the_batch_first(size: int) -> None:
    code = f"x = torch.linspace(0, 1, {size}, requires_grad=True)\ny = x.exp()\n"
    recording = recorded(code + f"g = torch.autograd.grad(y, x, 2 * torch.eye({size})[:2], is_grads_batched=True)")
    (ran,), (ended,) = events_of(recording, NodeRan), events_of(recording, BackwardEnded)
    assert torch.equal(to_tensor(ran.grad_outputs[0]), 2 * torch.eye(size)[:2])
    assert torch.equal(to_tensor(ran.grad_inputs[0]), to_tensor(ended.returned[0]))


@pytest.mark.filterwarnings("ignore")
def test_a_nested_vmap_has_the_outer_batch_first() -> None:
    code = "x = torch.arange(6.0).reshape(3, 2)\nf = torch.func.grad(lambda a: a**2)\n"
    recording = recorded(code + "print(torch.func.vmap(torch.func.vmap(f), in_dims=1)(x))")
    ran = next(event for event in events_of(recording, NodeRan) if recording.node(event.node_id).name == "PowBackward0")
    assert torch.equal(to_tensor(ran.grad_inputs[0]), 2 * torch.arange(6.0).reshape(3, 2).t())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("call", "passes"),
    [
        ("torch.func.grad(lambda a: (a**2).sum())(x)", 1),
        ("torch.func.vjp(torch.sin, x)[1](torch.ones(3))", 1),
        ("torch.func.jacrev(torch.sin)(x)", 1),
        ("torch.func.jvp(torch.sin, (x,), (torch.ones(3),))", 0),
        ("torch.func.vmap(lambda a: a * 2)(x)", 0),
        ("torch.func.hessian(lambda a: (a**3).sum())(x)", 1),
    ],
)
def test_transforms(call: str, passes: int) -> None:
    """torch.func runs the engine on tensors of its own, which is seen; forward mode and vmap have no backward pass."""
    recording = check_recording("x = torch.tensor([1.0, 2.0, 3.0])\nprint(" + call + ")", sums=False)
    assert recording.error is None
    assert len(recording.backward_passes) == passes


def test_a_transform_shows_its_numbers() -> None:
    recording = recorded("x = torch.tensor([1.0, 2.0])\ng = torch.func.grad(lambda a: (a**2).sum())(x)")
    power = next(ran for ran in events_of(recording, NodeRan) if recording.node(ran.node_id).name == "PowBackward0")
    assert power.grad_inputs[0].values == (2.0, 4.0)


def test_a_leaf_as_root_accumulates() -> None:
    recording = check_recording(PROGRAMS["a leaf as root"])
    assert nodes_ran(recording) == ["AccumulateGrad"]
    assert events_of(recording, BackwardStarted)[0].roots[0].node_id == recording.leaves[0].node_id


def test_a_leaf_has_one_node_however_often_torch_makes_it_anew() -> None:
    recording = recorded(X + "for _ in range(3):\n    (x * 2).sum().backward()")
    assert [node.name for node in recording.nodes].count("AccumulateGrad") == 1
    assert len(events_of(recording, Accumulated)) == 3


def test_an_error_in_a_nested_pass_points_to_the_node() -> None:
    code = (
        "class Bad(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, a):\n        return a * 2\n"
        "    @staticmethod\n    def backward(ctx, g):\n        raise ValueError('no')\n"
        + X
        + "Bad.apply(x).sum().backward()"
    )
    recording = check_recording(code)
    assert recording.error is not None
    assert recording.node(str(recording.error.node_id)).name == "BadBackward"


@pytest.mark.parametrize("cut", ["w.detach() * 2", "w.argmax() * 1.0"])
def test_a_root_without_a_history_has_its_name(cut: str) -> None:
    recording = recorded(f"w = torch.ones(2, requires_grad=True)\nloss = {cut}\ntorch.autograd.backward(loss)")
    assert recording.backward_passes[0].started.roots[0].variable == "loss"


@pytest.mark.parametrize(
    ("made", "names"),
    [
        ("net = nn.Linear(2, 1)\nparts = net.parameters()", {"net.weight", "net.bias"}),
        ("a, b = torch.ones(1, 2), torch.ones(1)\nparts = [a, b]", {"a", "b"}),
        ("parts = [torch.ones(1, 2), torch.ones(1)]", {"parts[0]", "parts[1]"}),
    ],
)
def test_a_loop_gives_no_name_that_lasts(made: str, names: set[str]) -> None:
    """At the pass, the last of the parts still goes by the loop's name."""
    code = f"{made}\nfor p in parts:\n    p.requires_grad_(True)\n"
    loss = "net(torch.ones(1, 2))" if "net" in made else "F.linear(torch.ones(1, 2), *parts)"
    assert set(recorded(f"{code}{loss}.sum().backward()").grads) == names


@pytest.mark.parametrize("change", ["y.add_(1)", "y[0] = 4", "y[:2] *= 3", "y.relu_()"])
def test_what_changes_in_place_has_its_name(change: str) -> None:
    recording = recorded(X + f"y = x * 1\n{change}")
    changed = events_of(recording, Modified)[-1]
    assert changed.variable == recording.node(changed.node_ids[-1]).variable == "y"


def test_the_value_that_is_assigned_to_a_part_does_not_change() -> None:
    recording = recorded(X + "y = x * 1\ny[:2] += x[0]\ny.sum().backward()")
    changes = [(event.name, event.variable) for event in events_of(recording, Modified)]
    assert changes == [("add_", "y[:2]"), ("__setitem__", "y")]


@pytest.mark.parametrize("view", ["x[1:2]", "x.view(3)", "h[0]"])
def test_a_view_made_without_gradients_is_cut_off_though_it_says_that_it_requires_one(view: str) -> None:
    recording = check_recording(X + f"h = x * 2\nwith torch.no_grad():\n    v = {view}\n(x * v).sum().backward()")
    (cut,) = (cut for cut in recording.cuts if cut.variable == "v")
    assert cut.reason == "no_grad"
    assert len(cut.consumers) == 1
    assert [leaf.name for leaf in recording.leaves] == ["x"]


DICE = "dice = torch.distributions.Categorical(logits=torch.ones(3, requires_grad=True) * 2)\n"


@pytest.mark.parametrize(
    ("code", "cuts"),
    [
        (DICE + "a = dice.sample()\ndice.log_prob(a).backward()", ["multinomial"]),
        (DICE + "dice.log_prob(torch.tensor(1)).backward()", []),
        ("import copy\nnet = nn.BatchNorm1d(2).eval()\ncopy.deepcopy(net)(torch.ones(3, 2)).sum().backward()", []),
    ],
)
def test_a_cut_is_where_the_history_is_lost_and_nowhere_else(code: str, cuts: list[str]) -> None:
    assert [cut.operation for cut in check_recording(code).cuts] == cuts


def test_a_leaf_may_be_made_like_another_tensor() -> None:
    recording = recorded(X + "d = torch.zeros_like(x, requires_grad=True)\n(x + d).sum().backward()")
    made = events_of(recording, Operation)[1]
    assert (made.name, made.leaf_id) == ("zeros_like", recording.leaves[1].id)
    assert [leaf.span is not None for leaf in recording.leaves] == [True, True]


def test_a_leaf_may_be_a_view() -> None:
    made = "with torch.no_grad():\n    v = torch.ones(3)[:2]\nv.requires_grad_()\nbase = torch.ones(3)\n"
    code = made + "w = base[:2].requires_grad_()\nbase.requires_grad_()\n(v * w).sum().backward()"
    assert {leaf.name for leaf in check_recording(code).leaves if leaf.node_id} == {"v", "w"}


def test_what_has_become_a_result_wants_no_gradient() -> None:
    recording = recorded(X + "y = torch.zeros(3)\ny[0] = x[1]\ny.sum().backward()")
    assert {leaf.name: leaf.requires_grad for leaf in recording.leaves} == {"x": True, "y": False}
    assert set(recording.grads) == {"x"}


def test_a_root_has_the_name_that_it_has_where_the_pass_starts() -> None:
    recording = recorded(X + "def f(a):\n    b = a * 2\n    return b.sum()\nd = f(x)\nd.backward()")
    assert recording.backward_passes[0].started.roots[0].variable == "d"


@pytest.mark.parametrize(
    "change",
    ["x.data -= 1", "x.data = x.data - 1", "x.data.sub_(1)", "d = x.data\nd[:] = d - 1", "x.data.view(3, 1).sub_(1)"],
)
def test_a_leaf_changed_through_data_has_its_new_value(change: str) -> None:
    recording = recorded(X + f"x.sum().backward()\n{change}\nprint(x.tolist())")
    (changed,) = [event for event in events_of(recording, Modified) if event.leaf_id == recording.leaves[0].id]
    assert str(list(changed.after.values)) == recording.printed.strip()
    assert changed.version == 0
    assert len(events_of(recording, Modified)) == 1


def test_a_leaf_made_of_another_tensors_numbers_is_told_where_it_is_made() -> None:
    lines = "y = torch.tensor(x.data, requires_grad=True)\nz = torch.empty_like(x, requires_grad=True)"
    recording = recorded("import warnings\nwarnings.simplefilter('ignore')\n" + X + lines)
    made = [event for event in events_of(recording, Operation) if event.leaf_id is not None]
    assert [(event.variable, event.requires_grad) for event in made] == [("x", True), ("y", True), ("z", True)]


def test_a_root_that_is_a_leaf_has_a_name() -> None:
    recording = recorded(X + "for _ in range(2):\n    d = x.sum().detach().requires_grad_()\n    (e := d).backward()")
    assert [leaf.name for leaf in recording.leaves] == ["x", "d", "d #2"]
    lines = "import warnings\nwarnings.simplefilter('ignore')\n"
    recording = recorded(
        X + lines + "for _ in range(2):\n    d = torch.tensor(x.sum(), requires_grad=True)\n    d.backward()"
    )
    assert [leaf.name for leaf in recording.leaves] == ["x", "d", "d #2"]


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("a, b = x.split([1, 2])", ["a, b"]),
        ("parts = x.split([1, 2])", ["parts"]),
        ("a, b = x.tensor_split(2)", ["a", "b"]),
        ("parts = x.tensor_split(2)", ["parts[0]", "parts[1]"]),
        ("a, b = x.sort()", ["a"]),
        ("a, b, c = x", ["a, b, c"]),
        ("a = list(x)[0]\n(a * a).backward()", ["a, _, _"]),
        ("a = list(torch.ones(9, requires_grad=True))[0]", []),
        ("ld = torch.slogdet(x.diag())[1]", ["_, ld"]),
        ("u = torch.linalg.svd(x.diag())[0]\nu.sum().backward()\nvh = (x * 2).unbind()[2]", ["u, _, _", "_, _, vh"]),
        ("a, b = x * 2, x * 3", ["a", "b"]),
        ("a, (b, c) = x * 2, (x * 3, x * 4)", ["a", "b", "c"]),
        ("out, (h, c) = nn.LSTM(3, 2)(x[None])", ["out", "h", "c"]),
        ("d = {}\nd[0, 1] = x * 2", ["d[0, 1]"]),
        ("_, b = x * 2, x * 3", ["b"]),
        ("m = torch.distributions\nd = m.MixtureSameFamily(m.Categorical(torch.ones(3)), m.Normal(x.exp(), 1.0))", []),
        ("h, _ = nn.GRU(3, 2)(x[None])", ["h"]),
    ],
)
def test_each_of_several_results_has_its_name(line: str, variables: list[str]) -> None:
    recording = recorded(X + line)
    named = {node.variable for node in recording.nodes if node.kind == "operation"} - {None}
    assert named == set(variables)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("_, r = torch.linalg.qr(x.diag())", "r"),
        ("q, _ = torch.linalg.qr(x.diag())", "q"),
        ("q, r = torch.linalg.qr(x.diag())", "q"),
        ("r = torch.linalg.qr(x.diag())[1]", "r"),
        ("_, _, c = x.split(1)", "c"),
        ("c = x.split(1)[2]\nc.sum().backward()\nb = x.split(1)[1]", "c"),
    ],
)
def test_of_several_results_the_first_with_a_name_is_shown(line: str, shown: str) -> None:
    recording = recorded(X + line)
    node = next(node for node in recording.nodes if node.variable_of(node.value_nr) == shown)
    variables = {"x": torch.tensor([1.0, 2.0, 3.0]), "torch": torch}
    exec(line.partition("\n")[0], variables)
    assert node.value is not None
    torch.testing.assert_close(torch.tensor(node.value.values), variables[shown].flatten())


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("a, b = x.split([1, 2])\ny = a * b", ["a", "b"]),
        ("p = x.unbind()\ny = p[0] * p[2]", ["p[0]", "p[2]"]),
        ("a, b = x.tensor_split([1])\ny = a * b", ["a", "b"]),
        ("d = {}\nd[0, 1] = x * 2\ny = x * d[0, 1]", ["x", "d[0, 1]"]),
    ],
)
def test_what_is_saved_is_one_of_several_results(line: str, names: list[str]) -> None:
    recording = recorded(X + line)
    saved = {kept.name: kept for kept in recording.nodes[-1].saved}
    owners = [saved["self"], saved["other"]]
    assert [
        recording.leaf(kept.leaf_id).name if kept.leaf_id else recording.node(kept.node_id).variable_of(kept.output_nr)
        for kept in owners
    ] == names


TWO_LAYERS = "a, b = nn.Linear(2, 1, bias=False), nn.Linear(2, 1, bias=False)\n"
TRAIN = "def train(model):\n    model(torch.ones(2)).sum().backward()\n" + TWO_LAYERS + "train(a)\ntrain(b)"
DRAWN = "torch.ones(2).requires_grad_()\n"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("W = {}\nfor i in range(2):\n    W[f'w{i}'] = " + DRAWN + "(W['w0'] * W['w1']).sum().backward()", ["W['w0']", "W['w1']"]),
        ("W = [0, 0]\nfor i in range(2):\n    W[-i] = " + DRAWN + "(W[0] * W[1]).sum().backward()", ["W[0]", "W[1]"]),
        ("W = {}\nW['w', 0] = " + DRAWN + "W['w', 0].sum().backward()", ["W['w', 0]"]),
        (TRAIN, ["a.weight", "b.weight"]),
    ],
)  # fmt: skip
def test_a_leaf_has_the_name_that_lasts(code: str, names: list[str]) -> None:
    assert [leaf.name for leaf in recorded(code).leaves if leaf.requires_grad] == names


@pytest.mark.parametrize(
    "gone", ["x.grad.data.zero_()", "x.grad.detach().zero_()", "g = x.grad\ng.zero_()", "x.grad.view(3).zero_()"]
)
def test_a_grad_that_is_cleared_by_another_tensor_in_its_memory(gone: str) -> None:
    recording = check_recording(X + f"(x * x).sum().backward()\n{gone}\nx.sum().backward()")
    (cleared,) = events_of(recording, GradCleared)
    assert (cleared.to, cleared.before.values) == ("zeros", (2.0, 4.0, 6.0))


@pytest.mark.parametrize(
    "change",
    ["x.grad.data.mul_(2)", "x.grad.data *= 2", "x.grad[0] = 7", "x.grad[:1].zero_()", "g = x.grad.t()\ng += 1"],
)
def test_a_grad_that_is_changed_by_another_tensor_in_its_memory(change: str) -> None:
    recording = check_recording(X + f"(x * x).sum().backward()\n{change}")
    (modified,) = events_of(recording, Modified)
    assert (modified.of_grad, modified.variable, modified.before.values) == (True, "x", (2.0, 4.0, 6.0))


def test_two_leaves_may_share_a_grad() -> None:
    recording = check_recording(
        X + "y = torch.ones(3, requires_grad=True)\n(x * y).sum().backward()\nx.grad = y.grad\nx.grad *= 2"
    )
    assert recording.grads["x"] == recording.grads["y"]


def test_a_sum_has_its_name_and_what_it_adds_up_on_its_way_has_none() -> None:
    recording = recorded(X + "total = sum([x.sum(), x.max(), x.min()])\ny = x\nfor _ in range(3):\n    y = y * 2")
    named = [(node.variable, node.name) for node in recording.nodes if node.variable not in {None, "x"}]
    assert named == [("total", "AddBackward0"), *[("y", "MulBackward0")] * 3]
    assert [event.variable for event in events_of(recording, Operation)].count("total") == 1


@pytest.mark.parametrize(
    ("loop", "piece"),
    [
        ("for a in x:\n    b = a * 2", "a in x"),
        ("parts = [a * 2 for a in x]", "a in x"),
        ("s = sum(a for i, a in enumerate(x))", "enumerate(x)"),
        ("g, = torch.autograd.grad((x**3).sum(), x, create_graph=True)\nh = [torch.autograd.grad(a, x, retain_graph=True)[0] for a in g]", "a in g"),
    ],
)  # fmt: skip
def test_what_is_looped_over_is_told_from_the_loop_and_from_what_the_loop_makes(loop: str, piece: str) -> None:
    recording = recorded(X + loop)
    (unbound,) = (node for node in recording.nodes if node.name == "UnbindBackward0")
    assert (piece_at(recording.source, unbound.span), unbound.variable) == (piece, None)


def test_a_chain_of_methods_over_several_lines() -> None:
    recording = recorded(X + "y = (x.exp()\n     .sin()\n     .sum())")
    made = [event for event in events_of(recording, Operation) if event.node_ids]
    assert [(event.name, event.span.line, event.span.end_line) for event in made] == [
        ("exp", 5, 5),
        ("sin", 5, 6),
        ("sum", 5, 7),
    ]
    assert [event.variable for event in made] == [None, None, "y"]
    assert {event.span.column for event in made} == {5}


def test_what_is_taken_apart_has_none_of_the_names() -> None:
    recording = recorded(X + "a, b = torch.stack([x, x * 2])")
    named = {event.name: event.variable for event in events_of(recording, Operation)}
    assert (named["stack"], named["unbind"]) == (None, "a, b")


FREEZE = "for p in model.parameters():\n    {mark}\nmodel[1] = nn.Linear(2, 1)\nmodel(torch.ones(2)).backward()\n"


@pytest.mark.parametrize("mark", ["p.requires_grad = False", "p.requires_grad_(False)"])
def test_a_layer_replaced_after_it_was_marked_keeps_its_name(mark: str) -> None:
    model = "model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))\n"
    names = ["model.0.weight", "model.0.bias", "model.1.weight", "model.1.bias"]
    recording = recorded(model + FREEZE.format(mark=mark))
    replaced = [f"{name} #2" for name in names[2:]]
    assert [leaf.name for leaf in recording.leaves] == [*names[:2], *replaced, *names[2:]]
    assert set(recording.grads) == set(names[2:])


def test_the_outermost_name_of_what_is_marked_lasts() -> None:
    code = "def freeze(m):\n    for p in m.parameters():\n        p.requires_grad = False\n"
    code += "net = nn.Linear(2, 1)\nfreeze(net)\nnet = nn.Linear(2, 1)\nnet(torch.ones(2)).backward()"
    frozen = [leaf.name for leaf in recorded(code).leaves if not leaf.requires_grad]
    assert frozen == ["net.weight #2", "net.bias #2"]


def test_a_name_waits_for_the_end_of_a_call_that_comes_back_to_the_program() -> None:
    code = "class Block(nn.Module):\n    def forward(self, x):\n        return x.exp()\n"
    code += "net = nn.Sequential(nn.Linear(3, 3), Block(), {last})\ny = net(x)\n{then}"
    for last, then in [
        ("nn.Tanh()", "y.sum().backward()"),
        ("Block()", "y.sum().backward()"),
        ("Block()", "z = y * 1"),
    ]:
        recording = recorded(X + code.format(last=last, then=then))
        named = [node.name for node in recording.nodes if node.variable == "y"]
        assert named == [{"nn.Tanh()": "TanhBackward0"}.get(last, "ExpBackward0")]


def test_what_is_written_into_a_part_is_the_whole_assignment() -> None:
    recording = recorded(X + "y = x * 2\ny[0] = x[1] * 3\ny[1:] += 1")
    spans = [piece_at(recording.source, event.span) for event in events_of(recording, Modified)]
    assert spans == ["y[0] = x[1] * 3", "y[1:] += 1", "y[1:]"]
