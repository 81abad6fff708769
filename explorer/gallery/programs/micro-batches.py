import torch

x = torch.arange(1.0, 9.0)
y = 2 * x
w = torch.tensor(0.0, requires_grad=True)
for step in range(3):
    w.grad = None
    for xs, ys in zip(x.split(2), y.split(2)):
        loss = ((w * xs - ys) ** 2).sum() / len(x)
        loss.backward()
    print(w.grad)
    with torch.no_grad():
        w -= 0.01 * w.grad
print(w)
