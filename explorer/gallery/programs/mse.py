import torch

prediction = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
target = torch.tensor([1.0, 3.0, 2.0])
loss = torch.nn.functional.mse_loss(prediction, target)
loss.backward()
print(prediction.grad)
