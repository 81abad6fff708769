import torch

x = torch.tensor(3.0, requires_grad=True)
with torch.no_grad():
    c = x * x
y = c * x
y.backward()
print(x.grad)
