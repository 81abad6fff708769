import torch

model = torch.nn.Linear(2, 1)
model.eval()
x = torch.tensor([1.0, 2.0])
with torch.no_grad():
    y = model(x)
print(y.requires_grad)
print(y.tolist())
