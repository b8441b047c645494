package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;

/** CPT; {@link CptConfig} says what it computes. */
@Internal
public final class CptMethod extends ConfiguredMethod<CptConfig> {
    @Override
    protected Adapter adapter(CptConfig config, AdapterSetup setup) {
        VirtualTokens tokens = TokenSizes.ofPrompt(config.virtualTokens(), setup);
        double unit = Math.sqrt(tokens.tokenDim() / 2048.0);
        double[] distances = config.types().stream().mapToDouble(type -> unit * switch (type < 0 ? 0 : type % 4) {
            case 1, 3 -> config.formatEpsilon();
            case 2 -> config.epsilon();
            default -> 0;
        }).toArray();
        int[] ids = config.tokenIds().stream().mapToInt(Integer::intValue).toArray();
        VirtualSource source = new GuardedTokens(setup, (values, random) -> {
            Embedding embedding = PromptTuningMethod.embedding(setup);
            for (int id : ids) {
                if (id < 0 || id >= embedding.table().rows()) {
                    throw new ConfigurationException("cpt_token_ids: " + id + " is not a token; the model has "
                            + embedding.table().rows());
                }
            }
            PromptTuningMethod.copy(values, embedding, ids);
        }, tokens.tokenDim(), true, distances);
        return PromptTuningMethod.prompt(setup.isRestoring() ? config
                : config.toBuilder().virtualTokens(tokens).build(), setup, tokens, source)
                .learning(ExampleAnswers.of(config)::beside);
    }
}
