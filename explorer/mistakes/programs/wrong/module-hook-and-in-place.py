import torch

layer = torch.nn.Linear(2, 2)
layer.register_full_backward_hook(lambda module, sent, came: print(came))
x = torch.tensor([1.0, 2.0], requires_grad=True)
y = layer(x)
y += 1
y.sum().backward()
