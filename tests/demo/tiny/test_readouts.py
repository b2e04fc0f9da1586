"""The pointer against the attention that the model itself computes."""

import torch

from fmau.demo.tiny.readouts import OPTION_LAYER, Choice, pointer_loss
from tests.processors import small_model


@torch.no_grad()
def test_the_pointer_reads_the_attention_of_the_first_head_of_layer_6() -> None:
    model = small_model().model.language_model.eval()
    model.set_attn_implementation("eager")
    ids_BL = torch.randint(20, 400, (2, 30), generator=torch.Generator().manual_seed(0))
    positions_ABL = torch.arange(30).expand(3, 2, -1)
    visible_B1LL = torch.ones(2, 1, 30, 30, dtype=torch.bool).tril()
    visible_B1LL[:, :, 20:, :5] = False
    output = model(
        input_ids=ids_BL,
        position_ids=positions_ABL,
        attention_mask=torch.where(visible_B1LL, 0.0, -1e30),
        output_hidden_states=True,
        output_attentions=True,
        use_cache=False,
    )
    choices = [
        [Choice(((8, 11), (11, 15)), right=1, asked=25)],
        [Choice(((2, 9), (9, 12)), right=0, asked=27), Choice(((13, 16),), right=0, asked=18)],
    ]
    hidden_BLH = output.hidden_states[OPTION_LAYER]
    found = pointer_loss(model, hidden_BLH, positions_ABL, visible_B1LL, choices)
    attention_BHLL = output.attentions[OPTION_LAYER]
    shares = [
        attention_BHLL[0, 0, 25, 11:15].sum(),
        attention_BHLL[1, 0, 27, 2:9].sum(),  # 2 to 4 are hidden from it
        attention_BHLL[1, 0, 18, 13:16].sum(),
    ]
    expected = torch.stack([-share.log() for share in shares]).mean()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert pointer_loss(model, hidden_BLH, positions_ABL, visible_B1LL, [[], []]) == 0


def test_a_question_further_on_keeps_its_shape() -> None:
    choice = Choice(((3, 5), (5, 9)), right=1, asked=12).moved(10)
    assert choice == Choice(((13, 15), (15, 19)), right=1, asked=22)
    assert choice.moved(-10).lines == ((3, 5), (5, 9))
