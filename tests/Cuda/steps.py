"""The training steps of `rates`, written in PyTorch: eager, bfloat16 autocast, the same shapes, to compare images a second on one card.

python3 steps.py [STEPS]
"""
import copy
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
WARM = 5
DEVICE = "cuda"


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Encoder(nn.Module):
    def __init__(self, width, depth, heads, size=224, patch=16):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.pos = nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, width) * 0.02)
        self.side = size // patch
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def positions(self, side):
        if side == self.side:
            return self.pos
        grid = self.pos[:, 1:].reshape(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(side, side), mode="bicubic")
        return torch.cat([self.pos[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def forward(self, images):
        x = self.patch(images)
        side = x.shape[-1]
        x = torch.cat([self.cls.expand(len(images), -1, -1), x.flatten(2).transpose(1, 2)], 1) + self.positions(side)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]

    def visible(self, images, keep):
        x = self.patch(images).flatten(2).transpose(1, 2) + self.pos[:, 1:]
        x = x.gather(1, keep.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
        x = torch.cat([(self.cls + self.pos[:, :1]).expand(len(images), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Head(nn.Module):
    def __init__(self, width, prototypes=65536):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, 2048), nn.GELU(), nn.Linear(2048, 2048), nn.GELU(), nn.Linear(2048, 256))
        self.weight = nn.Parameter(torch.randn(prototypes, 256))

    def forward(self, x):
        return F.linear(F.normalize(self.mlp(x), dim=-1), F.normalize(self.weight, dim=-1))


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.head = Encoder(384, 12, 6), Head(384)

    def forward(self, groups):
        return self.head(torch.cat([self.encoder(g) for g in groups]))


def clip_each(parameters, limit=3.0):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch.stack(torch._foreach_norm(gradients))
    factors = (limit / (norms + 1e-6)).clamp(max=1.0)
    torch._foreach_mul_(gradients, list(factors.unbind()))
    return norms.cpu()


def dino(images):
    student = Branch().to(DEVICE)
    teacher = copy.deepcopy(student).requires_grad_(False)
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4, weight_decay=0.04, fused=True)
    views = [torch.randn(2 * images, 3, 224, 224, device=DEVICE), torch.randn(8 * images, 3, 96, 96, device=DEVICE)]
    center = torch.zeros(1, 65536, device=DEVICE)
    mine, theirs = list(teacher.parameters()), list(student.parameters())

    def step():
        nonlocal center
        with torch.autocast("cuda", torch.bfloat16):
            with torch.no_grad():
                seen = teacher(views[:1]).float()
            logits = student(views).float()
        target = F.softmax((seen - center) / 0.04, -1).view(2, images, -1)
        log = F.log_softmax(logits / 0.1, -1).view(10, images, -1)
        loss = -(target * (log.sum(0, keepdim=True) - log[:2])).sum(-1).mean() / 9
        loss.backward()
        value = loss.item()
        clip_each(theirs)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            center = 0.9 * center + 0.1 * seen.mean(0, keepdim=True)
            torch._foreach_mul_(mine, 0.996)
            torch._foreach_add_(mine, theirs, alpha=0.004)
        return value

    return step


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(768, 12, 12)
        self.embed = nn.Linear(768, 512)
        self.mask = nn.Parameter(torch.zeros(1, 1, 512))
        self.pos = nn.Parameter(torch.randn(1, 197, 512) * 0.02)
        self.blocks = nn.ModuleList(Block(512, 16) for _ in range(8))
        self.norm, self.pred = nn.LayerNorm(512, eps=1e-6), nn.Linear(512, 768)

    def forward(self, images):
        b = len(images)
        order = torch.rand(b, 196, device=DEVICE).argsort(1)
        restore, keep = order.argsort(1), order[:, :49]
        hidden = (restore >= 49).float()
        x = self.embed(self.encoder.visible(images, keep))
        patches = torch.cat([x[:, 1:], self.mask.to(x.dtype).expand(b, 147, -1)], 1)
        patches = patches.gather(1, restore.unsqueeze(-1).expand(-1, -1, 512))
        x = torch.cat([x[:, :1], patches], 1) + self.pos
        for block in self.blocks:
            x = block(x)
        predicted = self.pred(self.norm(x))[:, 1:].float()
        target = images.view(b, 3, 14, 16, 14, 16).permute(0, 2, 4, 3, 5, 1).reshape(b, 196, 768)
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        return (((predicted - target) ** 2).mean(-1) * hidden).sum() / hidden.sum()


def mae(images):
    model = Autoencoder().to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    batch = torch.randn(images, 3, 224, 224, device=DEVICE)

    def step():
        with torch.autocast("cuda", torch.bfloat16):
            loss = model(batch)
        loss.backward()
        value = loss.item()
        torch.stack(torch._foreach_norm([p.grad for p in model.parameters()])).cpu()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return value

    return step


def measure(name, images, make):
    step = make(images)
    for _ in range(WARM):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - start) / STEPS
    print(f"PyTorch {torch.__version__}, {name}, batch {images}, bf16 autocast: {1000 * seconds:.1f} ms a step, {images / seconds:.0f} images/s", flush=True)
    del step
    torch.cuda.empty_cache()


torch.backends.cuda.matmul.allow_tf32 = True
for size in (64, 128):
    measure("DINO ViT-S/16 2x224 + 8x96", size, dino)
for size in (256, 512):
    measure("MAE ViT-B/16", size, mae)
