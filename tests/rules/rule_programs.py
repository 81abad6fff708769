"""Small programs for rows that torch's operator database does not reach, and for what rows must bear."""

from __future__ import annotations

X = "x = torch.tensor([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]], dtype=DTYPE, requires_grad=True)\n"
IMAGE = "x = torch.linspace(-1, 1, 32, dtype=DTYPE).reshape(1, 2, 4, 4).cos().requires_grad_()\n"
BLOCK = "x = torch.linspace(-1, 1, 64, dtype=DTYPE).reshape(1, 1, 4, 4, 4).cos().requires_grad_()\n"
END = "\n(y * torch.linspace(1, 2, y.numel(), dtype=y.dtype).reshape(y.shape)).sum().backward()"
F = "torch.nn.functional"


def second(call: str, before: str = X) -> str:
    """A backward pass through the gradient of an operation."""
    return f"{before}z = {call}\n(y,) = torch.autograd.grad(z.pow(2).sum(), x, create_graph=True){END}"


ONLY_HERE: dict[str, str] = {
    "LeakyReluBackward1": f"{X}h = x * 1\ny = {F}.leaky_relu_(h, 0.2){END}",
    "EluBackward1": f"{X}h = x * 1\ny = {F}.elu_(h, 0.5){END}",
    "NativeDropoutBackward0": f"{X}y, mask = torch.native_dropout(x, 0.5, True){END}",
    "RsubBackward1": f"{X}y = torch.rsub(x, 2.0, alpha=3){END}",
    "PowBackward2": f"{X}y = 2.5 ** x{END}",
    "NegViewBackward0": f"{X}y = torch._neg_view(x){END}",
    "LazyCloneBackward0": f"{X}y = torch.ops.aten._lazy_clone(x){END}",
    "FmodBackward0": f"{X}y = torch.fmod(x, 0.4){END}",
    "RemainderBackward0": f"{X}y = x % 0.4{END}",
    "XlogyBackward1": f"{X}y = torch.xlogy(2.0, x.abs()){END}",
    "XlogyBackward2": f"{X}y = torch.xlogy(x, 2.0){END}",
    "FillBackward1": f"{X}v = x.sum()\ny = torch.fill(x, v){END}",
    "CopysignBackward1": f"{X}y = torch.copysign(x, -1.0){END}",
    "ClampBackward1": f"{X}y = x.clamp(-0.5, 0.5){END}",
    "ClampMaxBackward0": f"{X}y = x.clamp_max(0.5){END}",
    "AliasBackward0": f"{X}y = torch.ops.aten.alias(x){END}",
    "ScatterBackward1": f"{X}y = x.scatter(1, torch.tensor([[0, 2]]), 5.0){END}",
    "NllLoss2DBackward0": f"{IMAGE}y = {F}.nll_loss(x, torch.ones(1, 4, 4, dtype=torch.long)){END}",
    "NativeBatchNormLegitBackward1": f"{IMAGE}y = torch._native_batch_norm_legit(x, None, None, True, 0.1, 1e-5)[0]{END}",
    "UpsampleNearest2DBackward0": f"{IMAGE}y = {F}.interpolate(x, scale_factor=2){END}",
    "UpsampleNearest3DBackward0": f"{BLOCK}y = {F}.interpolate(x, size=(5, 4, 6)){END}",
    "ScaledDotProductFlashAttentionForCpuBackward0": (
        f"{IMAGE}k = (x * 0.7 + 0.1).sin()\ny = {F}.scaled_dot_product_attention(x, k, x.cos(), is_causal=True){END}"
    ),
    "LogcumsumexpBackward0": f"{X}y = x.logcumsumexp(1){END}",
    "SortBackward1": f"{X}y, i = torch.sort(x, stable=True, dim=1){END}",
    "NormBackward0": f"{X}y = torch.ops.aten.norm(x, 3){END}",
    "SigmoidBackwardBackward0": second("x.sigmoid()"),
    "TanhBackwardBackward0": second("x.tanh()"),
    "ThresholdBackwardBackward0": second("x.relu()"),
    "LeakyReluBackwardBackward0": second(f"{F}.leaky_relu(x, 0.2)"),
    "HardtanhBackwardBackward0": second(f"{F}.hardtanh(x)"),
    "SoftplusBackwardBackward0": second(f"{F}.softplus(x, 2)"),
    "LogSoftmaxBackwardDataBackward0": second("x.log_softmax(1)"),
    "SoftmaxBackwardDataBackward0": second("x.softmax(1)"),
    "MseLossBackwardBackward0": second(f"{F}.mse_loss(x, x.sin())"),
    "SelectBackwardBackward0": second("x[1]"),
    "SliceBackwardBackward0": second("x[:, ::2]"),
    "DiagonalBackwardBackward0": second("x.diagonal(1)"),
    "EmbeddingDenseBackwardBackward0": second(f"{F}.embedding(torch.tensor([1, 0, 1]), x, padding_idx=0)"),
    "HardshrinkBackwardBackward0": second(f"{F}.hardshrink(x)"),
    "SoftshrinkBackwardBackward0": second(f"{F}.softshrink(x)"),
    "AdaptiveMaxPool2DBackwardBackward0": second(f"{F}.adaptive_max_pool2d(x, 2)", IMAGE),
    "FractionalMaxPool2DBackwardBackward0": second(f"{F}.fractional_max_pool2d(x, 2, output_size=2)", IMAGE),
    "MaxPool3DWithIndicesBackwardBackward0": second(f"{F}.max_pool3d(x, 2)", BLOCK),
    "AdaptiveMaxPool3DBackwardBackward0": second(f"{F}.adaptive_max_pool3d(x, 2)", BLOCK),
    "FractionalMaxPool3DBackwardBackward0": second(f"{F}.fractional_max_pool3d(x, 2, output_size=2)", BLOCK),
    "UnsqueezeBackward1": f"{X}y = (x * 1).unsqueeze_(0){END}",
    "SqueezeBackward3": f"{X}y = (x * 1).unsqueeze(0).squeeze_(){END}",
    "SqueezeBackward5": f"{X}y = torch.ops.aten.squeeze_((x * 1).unsqueeze(0), [0]){END}",
    "TBackward1": f"{X}y = (x * 1).t_(){END}",
    "SliceScatterBackward0": f"{X}y = x.slice_scatter(x[:, :1] * 2, 1, 1, 2){END}",
    "UnsafeSplitWithSizesBackward0": f"{X}y = torch.unsafe_split_with_sizes(x, [1, 2], 1)[1]{END}",
    "ReflectionPad2DBackward0": f"{IMAGE}y = {F}.pad(x, (1, 2, 2, 1), mode='reflect'){END}",
    "ReflectionPad3DBackward0": f"{BLOCK}y = {F}.pad(x, (1, 2, 2, 1, 0, 1), mode='reflect'){END}",
    "UnfoldBackwardBackward0": second("x.unfold(1, 2, 1)"),
    "UpsampleNearestExact2DBackward0": f"{IMAGE}y = {F}.interpolate(x, size=3, mode='nearest-exact'){END}",
    "UpsampleNearestExact3DBackward0": f"{BLOCK}y = {F}.interpolate(x, size=3, mode='nearest-exact'){END}",
    "NormalBackward1": f"{X}y = torch.normal(x, 1.0){END}",
    "NormalBackward3": f"{X}y = torch.normal(x, x.detach().abs().requires_grad_()){END}",
    "Col2ImBackward0": f"{IMAGE}y = {F}.fold({F}.unfold(x, 2), (4, 4), 2){END}",
    "PackPaddedSequenceBackward0": (
        f"{IMAGE}y = torch.nn.utils.rnn.pack_padded_sequence(x[0].reshape(4, 2, 4), [4, 2]).data{END}"
    ),
    "AffineGridGeneratorBackward0": f"{X}y = {F}.affine_grid(x[None], (1, 1, 3, 4), align_corners=False){END}",
    "UpsampleBilinear2DAaBackward0": f"{IMAGE}y = {F}.interpolate(x, size=3, mode='bilinear', antialias=True){END}",
    "UpsampleBicubic2DAaBackward0": f"{IMAGE}y = {F}.interpolate(x, size=3, mode='bicubic', antialias=True){END}",
    "WeightNormInterfaceBackward0": (
        f"{X}y = torch._weight_norm(x, torch.tensor([[2.], [3.]], dtype=DTYPE, requires_grad=True), 0){END}"
    ),
    "ChannelShuffleBackward0": f"{BLOCK}y = {F}.channel_shuffle(x.reshape(2, 4, 2, 4), 2){END}",
    "MedianBackward1": f"{X}y = x.median(1)[0]{END}",
    "ProdBackward1": f"{X}y = x.prod(1){END}",
    "ReplicationPad3DBackward0": f"{BLOCK}y = {F}.pad(x, (1, 2, 2, 1, 0, 1), mode='replicate'){END}",
}
"""A program for each kind of node."""

SHAPES = [((), ()), ((3,), ()), ((3,), (1,)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((1, 3), (2, 1)), ((2, 1, 3), (4, 1))]
BINARY = ["a + b", "a - 2 * b", "a * b", "a / b", "a ** b", "torch.maximum(a, b)", "torch.hypot(a, b)", "torch.lerp(a, b, 0.3)",
          "torch.where(a > b, a, b)", "torch.atan2(a, b)", "torch.addcmul(a, a, b, value=2)", "torch.clamp(a, b, b + 1)",
          "torch.add(a, b, alpha=3)", "torch.fmax(a, b)", "torch.logaddexp(a, b)", "torch.xlogy(a, b)"]  # fmt: skip
"""Operations of two tensors, which are tried on all these pairs of shapes."""

ONES = ".requires_grad_()\n"
EDGES = (
    f"x = torch.tensor([3.]){ONES}torch.layer_norm(x, (1,), torch.tensor([2.], requires_grad=True)).sum().backward()",
    f"x = torch.tensor([0.3, -2.], dtype=torch.float64){ONES}torch.nn.functional.hardsigmoid(x).sum().backward()",
    f"x = torch.ones(2, 3){ONES}torch.cat([torch.ones(0).requires_grad_(), x], 1).sum().backward()",
    f"x = torch.ones(4){ONES}x.gather(0, torch.empty(0, 2, dtype=torch.long)).sum().backward()",
    f"x = torch.tensor([1.571], dtype=torch.float16){ONES}x.tan().sum().backward()",
    f"x = torch.tensor([-12., 1.], dtype=torch.float16){ONES}torch.nn.functional.soft_margin_loss(x, x.detach() * -1).backward()",
    f"x = torch.tensor([2., 0., 3., 0., 5.]){ONES}x.cumprod(0).sum().backward()",
    f"x = torch.tensor([2., 0., 3.]){ONES}x.prod().backward()",
    f"x = torch.tensor([1e4, 3., -1e4]){ONES}x.logcumsumexp(0).sum().backward()",
    f"x = torch.tensor([300., 400.], dtype=torch.float16){ONES}(x * x).sum().backward()",
    f"x = torch.tensor([3 + 4j, 0j]){ONES}x.sgn().sum().abs().backward()",
    f"x = torch.tensor([3 + 4j, 1j]){ONES}x.angle().sum().backward()",
    f"x = torch.empty(0, 2, 3){ONES}torch.nn.functional.group_norm(x, 1).sum().backward()",
    f"x = torch.tensor([[1e6 + 3e6j, 1e6 + 2e6j]]){ONES}x.logsumexp(1).abs().sum().backward()",
)
"""Where numbers are infinite, zero or coarse, or shapes are strange."""

NOTHING_BUT_ROUNDING = (
    "x = torch.tensor([1e4, 1e4, 1e4], dtype=torch.float16).requires_grad_()\nx.logcumsumexp(0).sum().backward()"
)
"""In half precision numbers near 10000 are 8 apart, so that nothing is left of exp of their differences."""
