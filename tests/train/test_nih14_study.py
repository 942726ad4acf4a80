"""The study of findings has the source's cells, whatever it is started from."""

from pathlib import Path

from train.nih14.study import BOTH, EFFICIENTNET, VIT, Starts, four_models, scale_of
from train.studies import Budget


def test_the_four_models_are_those_of_the_source(tmp_path: Path) -> None:
    starts = Starts(tmp_path / "gan", tmp_path / "pretrain")
    study = four_models(scale_of(Budget.SMALL, starts, 64))
    cells = {cell.name: cell.settings for cell in study.cells}
    assert list(cells) == [EFFICIENTNET, f"SS-GAN + {EFFICIENTNET}", VIT, "ViT after self-supervision", BOTH]
    assert {name: settings.network["fusion"] for name, settings in cells.items()} == {
        EFFICIENTNET: "none",
        f"SS-GAN + {EFFICIENTNET}": "concat",
        VIT: "none",
        "ViT after self-supervision": "none",
        BOTH: "concat",
    }
    assert cells[VIT].starts() == cells[EFFICIENTNET].starts() == []
    assert [file.name for file in cells[BOTH].starts()] == ["vit.safetensors", "trunk.safetensors"]
    downloaded = four_models(scale_of(Budget.SMALL, starts, 64, pretrained=True), by_image=True)
    assert [cell.name for cell in downloaded.cells if cell.settings.from_imagenet] == list(cells)[:3], "what is taught"
    assert downloaded.title != study.title, "a table with a leak stands beside the other one"
    small, medium = (scale_of(budget, starts, 64).settings for budget in (Budget.SMALL, Budget.MEDIUM))
    assert small.epochs < medium.epochs < 50
    assert medium.network["encoder"] == "vit_small_patch16_224"
    full = scale_of(Budget.FULL, Starts(tmp_path), 128)
    assert (full.settings.epochs, full.settings.batch, full.settings.learning_rate) == (50, 32, 3e-5)
    assert [cell.name for cell in four_models(full).cells] == [EFFICIENTNET, f"SS-GAN + {EFFICIENTNET}", VIT, BOTH]
