import torch


class Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.size = x.numel()
        return x.sum()

    @staticmethod
    def backward(ctx, grad):
        return grad * torch.ones(7)


x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
Total.apply(x).backward()
print(x.grad)
