package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class GgufFormTest {
    private static final GgufForm FORM = GgufForm.decoder("example")
            .tensor("self_attn.qkv_proj", "attn_qkv")
            .tensor("self_attn.sinks", "attn_sinks.weight")
            .tensor("mlp.experts.#.gate_proj", "ffn_gate_exps")
            .tensor("pre_feedforward_layernorm", "ffn_norm")
            .rotaryPairs("self_attn.q_proj")
            .transposed("self_attn.qkv_proj")
            .shifted("norm");

    private static void both(String huggingFace, String gguf) {
        assertEquals(Optional.of(gguf), FORM.toGguf(huggingFace));
        assertEquals(Optional.of(huggingFace), FORM.toHuggingFace(gguf));
    }

    @Test
    void namesGoBothWays() {
        both("model.embed_tokens.weight", "token_embd.weight");
        both("lm_head.weight", "output.weight");
        both("model.layers.0.self_attn.q_proj.weight", "blk.0.attn_q.weight");
        both("model.layers.31.self_attn.q_proj.bias", "blk.31.attn_q.bias");
        both("model.layers.4.self_attn.sinks", "blk.4.attn_sinks.weight");
        both("model.layers.7.self_attn.qkv_proj.weight", "blk.7.attn_qkv.weight");
    }

    @Test
    void aPlaceTakesTheNameOfTheSharedFormsPlace() {
        both("model.layers.2.pre_feedforward_layernorm.weight", "blk.2.ffn_norm.weight");
        assertTrue(FORM.toGguf("model.layers.2.post_attention_layernorm.weight").isEmpty());
    }

    @Test
    void anExpertsNumberIsNotInLlamaCppsName() {
        String name = "model.layers.3.mlp.experts.12.gate_proj.weight";
        assertEquals(Optional.of("blk.3.ffn_gate_exps.weight"), FORM.toGguf(name));
        assertEquals(12, FORM.expert(name));
        assertEquals(Optional.of("model.layers.3.mlp.experts.#.gate_proj.weight"),
                FORM.toHuggingFace("blk.3.ffn_gate_exps.weight"));
        assertEquals(-1, FORM.expert("model.layers.3.self_attn.q_proj.weight"));
    }

    @Test
    void namesThatAreNobodysHaveNone() {
        for (String name : new String[] {"", ".", "x", "model.layers.", "model.layers.a.self_attn.q_proj.weight",
            "model.layers.0", "model.layers.0.mlp.weight", "model.layers.99999999999.self_attn.q_proj.weight"}) {
            assertTrue(FORM.toGguf(name).isEmpty(), name);
            assertEquals(-1, FORM.expert(name), name);
        }
        for (String name : new String[] {"", "blk.", "blk.0", "blk.*.attn_q.weight", "blk.0.attn_q.scale", "attn_q"}) {
            assertTrue(FORM.toHuggingFace(name).isEmpty(), name);
        }
    }

    @Test
    void differencesAreThoseOfTheirPlaces() {
        assertTrue(FORM.has(GgufDifference.ROTARY_PAIRS, "model.layers.0.self_attn.q_proj.bias"));
        assertFalse(FORM.has(GgufDifference.ROTARY_PAIRS, "model.layers.0.self_attn.k_proj.weight"));
        assertFalse(FORM.has(GgufDifference.ROTARY_PAIRS, "lm_head.weight"));
        assertTrue(FORM.has(GgufDifference.TRANSPOSED, "model.layers.0.self_attn.qkv_proj.weight"));
        assertFalse(FORM.has(GgufDifference.TRANSPOSED, "model.layers.0.self_attn.qkv_proj.bias"));
        assertTrue(FORM.has(GgufDifference.SHIFTED, "model.norm.weight"));
        assertTrue(FORM.has(GgufDifference.SHIFTED, "model.layers.0.input_layernorm.weight"));
        assertFalse(FORM.has(GgufDifference.SHIFTED, "model.embed_tokens.weight"));
        assertFalse(GgufForm.decoder("example").has(GgufDifference.ROTARY_PAIRS,
                "model.layers.0.self_attn.q_proj.weight"));
    }
}
