package io.peft4j.models.architecture;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.HeadedNetwork.PairPrompt;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How a decoder judges whether a text answers a query, as the folder of a cross-encoder of sentence-transformers with a
 * {@code LogitScore} says: by the logit of a token for yes after both, less that of a token for no.
 *
 * @param yes id of the token for yes
 * @param no id of the token for no, if there is one
 * @param prompt how both are read
 */
public record NextTokenScore(int yes, Optional<Integer> no, PairPrompt prompt) {
    private static final String TEMPLATE = "chat_template";
    private static final String HEADER = "add_generation_prompt";
    private static final String KWARGS = "processing_kwargs";

    /**
     * Reads it of a folder.
     *
     * @param part the folder of the part {@code LogitScore}
     * @param settings what the folder says beside its parts
     * @param network what it says of the network
     * @throws FileFormatException when a file is damaged, or asks for what is not supported
     */
    static NextTokenScore read(Path part, Optional<ModelConfig> settings, Optional<ModelConfig> network) {
        ModelConfig config = ModelConfig.read(part.resolve("config.json"));
        config.text("module_input_name").filter(name -> !name.equals("causal_logits")).ifPresent(name -> {
            throw config.unsupported("module_input_name", name, "causal_logits");
        });
        Map<String, Object> variables = new HashMap<>();
        network.flatMap(own -> own.object(KWARGS)).ifPresent(kwargs -> {
            kwargs.values().properties().stream().filter(entry -> !entry.getKey().equals(TEMPLATE) && !entry.getValue()
                    .isEmpty()).findFirst().ifPresent(entry -> {
                        throw kwargs.unsupported(KWARGS + "." + entry.getKey(), entry.getValue(), "none");
                    });
            kwargs.object(TEMPLATE).ifPresent(template -> template.values().properties().forEach(entry -> {
                if (!entry.getValue().isValueNode() || entry.getKey().equals("restore_suffix")) {
                    throw template.unsupported(entry.getKey(), entry.getValue(), "variables of the template");
                }
                variables.put(entry.getKey(), entry.getValue().isBoolean() ? (Object) entry.getValue().asBoolean()
                        : entry.getValue().asText());
            }));
        });
        boolean header = Boolean.TRUE.equals(variables.remove(HEADER));
        Optional<String> named = settings.flatMap(own -> own.text("default_prompt_name"));
        Optional<String> instruction = named.map(name -> settings.get().object("prompts").flatMap(all -> all.text(name))
                .orElseThrow(() -> new FileFormatException(settings.get().file(), "default_prompt_name is '" + name
                        + "', which is not among its prompts")));
        return new NextTokenScore(id(config, "true_token_id").orElseThrow(() -> new FileFormatException(config.file(),
                "has no true_token_id")), id(config, "false_token_id"), new PairPrompt(instruction.filter(
                        text -> !text
                                .isEmpty()),
                        header, variables));
    }

    private static Optional<Integer> id(ModelConfig config, String key) {
        return Optional.of(config.values().path(key)).filter(value -> !value.isMissingNode() && !value.isNull())
                .map(value -> {
                    if (!value.canConvertToInt() || value.asInt() < 0) {
                        throw new FileFormatException(config.file(), key + " is " + value + ", not a token's number");
                    }
                    return value.asInt();
                });
    }

    /** Whether a model with so many tokens has these. */
    public boolean fits(int vocabulary) {
        return yes < vocabulary && no.orElse(0) < vocabulary;
    }

    /** The scores, [B, 1], of logits [B, V]. */
    public Variable of(Tape tape, Variable logits) {
        Variable score = ColumnOps.slice(tape, logits, yes, yes + 1);
        return no.map(id -> ElementwiseOps.add(tape, score, ElementwiseOps.scale(tape, ColumnOps.slice(tape, logits, id,
                id + 1), -1))).orElse(score);
    }
}
