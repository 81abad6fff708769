import torch

x = torch.tensor(0.0, requires_grad=True)
with torch.autograd.set_detect_anomaly(True):
    y = 0 * torch.sqrt(x)
    y.backward()
print(x.grad)
