"""The pretrained encoder: the way through it is BERT's own, and a mix goes where it should."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from mixup_lib import Mix, draw_mixup
from mixup_lib.datasets import Texts, data_root, minilm_file, pretrained, sentences
from mixup_lib.experiments import EXPERIMENTS, encoders
from mixup_lib.models import PLACES, SentenceEncoder, mix_at
from mixup_lib.text.tokens import encode_with

pytest.importorskip("transformers")
IDS = torch.tensor([[5, 6, 7, 8, 9], [3, 4, 0, 0, 0], [7, 7, 7, 0, 0]])


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SentenceEncoder(20, 3, dim=16, layers=2, heads=2).eval()


def test_its_states_are_bert_s_own(network):
    """Mean over real positions of what ``BertModel`` returns when it is told of the padding."""
    valid = IDS != 0
    states = network.encoder(input_ids=IDS, attention_mask=valid.long()).last_hidden_state
    mean = torch.stack([row[real].mean(0) for row, real in zip(states, valid, strict=True)])
    assert torch.allclose(network(IDS), network.classifier(mean), atol=1e-5)
    alone = torch.cat([network(IDS[1:2, :2]), network(IDS[2:, :3])])
    assert torch.allclose(network(IDS)[1:], alone, atol=1e-5)


@pytest.mark.parametrize("place", PLACES)
def test_a_mix_of_everything_and_nothing_changes_nothing(place, network):
    none = Mix(torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([[1.0] * 3, [0.0] * 3]))
    same = Mix(torch.tensor([[0, 1, 2], [0, 1, 2]]), torch.tensor([[0.3] * 3, [0.7] * 3]))
    # A partner of weight 0 still lends its length: zeros that attention and mean can see.
    longest = none if place == "sentence" else same
    assert torch.allclose(mix_at(network, IDS, longest, place), network(IDS), atol=1e-5)
    assert torch.allclose(mix_at(network, IDS, same, place), network(IDS), atol=1e-5)


@pytest.mark.parametrize("place", PLACES)
def test_a_mixture_does_not_depend_on_who_is_named_first(place, network):
    pair = Mix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([[0.3, 0.7], [0.7, 0.3]]))
    mixed = mix_at(network, IDS[:2], pair, place)
    assert torch.allclose(mixed[0], mixed[1], atol=1e-5)
    assert not torch.allclose(mixed, network(IDS[:2]), atol=1e-3)


def test_places_lie_where_they_are_said_to(network):
    mix = draw_mixup(3, generator=torch.Generator().manual_seed(0))
    out = {place: mix_at(network, IDS, mix, place) for place in PLACES}
    assert torch.allclose(out["sentence"], mix.inputs(network(IDS)), atol=1e-5)  # linear from there
    assert not torch.allclose(out["hidden"], out["embedding"], atol=1e-4)
    network.hidden = 0
    assert torch.allclose(mix_at(network, IDS, mix, "hidden"), out["embedding"], atol=1e-6)
    network.hidden = 2  # after the last layer
    same_length = IDS.clone()
    same_length[same_length == 0] = 11
    late = mix_at(network, same_length, mix, "hidden")
    assert torch.allclose(late, mix_at(network, same_length, mix, "sentence"), atol=1e-5)


def test_gradients_reach_every_layer(network):
    network.train()
    mix_at(network, IDS, draw_mixup(3), "hidden").square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 10, "heads": 4}, "dim must be a multiple of heads=4, got 10"),
        ({"layers": 0}, "layers must be an integer of at least 1, got 0"),
        ({"hidden": 3}, "hidden must be at most layers=2, got 3"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1.0"),
        ({"pretrained": "minilm"}, "valid is 'minilm' with .*'dim': 384"),
        ({"pretrained": "bert"}, "pretrained='bert' with"),
    ],
)
def test_what_can_t_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SentenceEncoder(20, 3, **options)


def test_ids_and_places_are_checked(network):
    with pytest.raises(ValueError, match="place must be one of"):
        network(IDS, place="layer")
    with pytest.raises(TypeError, match="integer token ids"):
        network(IDS.float())


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_missing_and_other_weights_are_named(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MIXUP_DATA", str(tmp_path))
    known = pretrained.MINILM[name]
    with pytest.raises(FileNotFoundError, match=rf"minilm/{name} \(SHA-256 {known}\).*hf download"):
        minilm_file(name)
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm" / name).write_bytes(b"half of it")
    with pytest.raises(OSError, match=rf"{name} is another file: SHA-256 .* instead of {known}"):
        minilm_file(name)


def test_minilm_itself_knows_which_sentences_are_alike():
    if not (data_root() / "minilm").exists():
        pytest.skip(f"MiniLM is not in {data_root()}")
    tokenizers = pytest.importorskip("tokenizers")
    texts = ["The film was wonderful.", "A marvellous movie!", "How far is the moon?"]
    some = Texts(texts, torch.tensor([0, 0, 1]))
    splits = sentences()
    splits = replace(splits, train=some, validation=some, test=some)
    tokenizer = tokenizers.Tokenizer.from_file(str(minilm_file("tokenizer.json")))
    ids, _ = encode_with(tokenizer, splits, length=16).train.tensors
    assert ids[0].tolist() == [101, 1996, 2143, 2001, 6919, 1012, 102, 0]
    assert encode_with(tokenizer, splits, length=4).train.tensors[0].shape == (3, 4)
    model = SentenceEncoder(30_522, 2, dim=384, layers=6, heads=12, pretrained="minilm").eval()
    model.classifier = torch.nn.Identity()
    with torch.inference_mode():
        vector = torch.nn.functional.normalize(model(ids), dim=1)
    alike, other = vector[0] @ vector[1], vector[0] @ vector[2]
    assert alike > 0.5 > 0.3 > other, (alike, other)


QUICK = EXPERIMENTS["trec-500-minilm"].config | {
    "data": {"name": "sentences", "sizes": {"train": 60, "validation": 60}, "length": 20},
    "model": {"name": "SentenceEncoder", "layers": 2, "dim": 16, "heads": 2, "dropout": 0.1},
    "epochs": 3,
    "batch_size": 16,
}
TRIES = {
    name: {m.rsplit("-", 1)[0]: m for m in EXPERIMENTS[name].methods}
    for name in EXPERIMENTS
    if name.endswith("minilm")
}


@pytest.mark.parametrize("name", TRIES)
def test_every_method_has_three_tries(name):
    methods = [method.rsplit("-", 1)[0] for method in EXPERIMENTS[name].methods]
    assert {methods.count(method) for method in methods} == {3} and len(methods) == 21


def test_the_experiment_runs_on_a_small_encoder_without_any_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXUP_DATA", str(tmp_path / "nothing"))
    outcomes = []
    for method in TRIES["trec-500-minilm"].values():
        record = encoders.measure(deepcopy(QUICK), method, 0, tmp_path / "run.pt")
        (tmp_path / "run.pt").unlink()
        assert [record["metrics"][part]["n"] for part in ("train", "validation", "test")] == [
            60,
            60,
            240,
        ]
        scores = record["history"]["validation_nll"]
        assert record["metrics"]["validation"]["nll"] == min(scores)
        assert record["best_epoch"] == 1 + scores.index(min(scores))
        said = EXPERIMENTS["trec-500-minilm"].methods[method]
        ran = record["fit"]
        assert ran["forward"] == said["forward"] and ran["mixing"] == said.get("mixing")
        assert ran["loss"] == said.get("loss", ran["metric"]) and ran["keep"] == "best"
        outcomes.append(record["metrics"]["train"]["nll"])
    assert len({*outcomes}) == len(TRIES["trec-500-minilm"])
    other = encoders.measure(deepcopy(QUICK), method, 1, tmp_path / "run.pt")
    assert other["metrics"]["test"] != record["metrics"]["test"]


def test_missing_weights_are_named_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXUP_DATA", str(tmp_path))
    config = QUICK | {"model": EXPERIMENTS["trec-500-minilm"].config["model"]}
    with pytest.raises(FileNotFoundError, match="tokenizer.json .SHA-256 be50.*hf download"):
        encoders.measure(config, "plain-0.00010", 0, tmp_path / "run.pt")
