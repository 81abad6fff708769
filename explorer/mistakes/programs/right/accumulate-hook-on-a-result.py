import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = 3 * x
x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
y.sum().backward()
