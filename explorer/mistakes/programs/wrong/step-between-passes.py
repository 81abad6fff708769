import torch

w = torch.tensor(2.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
square, cube = w ** 2, w ** 3
square.backward()
optimizer.step()
cube.backward()
