import torch

x = torch.tensor([3.0, 4.0], requires_grad=True)
y = torch.linalg.vector_norm(x)
y.backward()
print(x.grad)
