import torch

w = torch.tensor(2.0, requires_grad=True)
x = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
target = torch.tensor([[2.0], [4.0], [6.0], [8.0]])
loss = torch.nn.functional.mse_loss(w * x, target)
loss.backward()
print(loss, w.grad)
