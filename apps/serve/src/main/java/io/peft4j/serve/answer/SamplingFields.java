package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** What chat and completions have in common: how tokens are chosen, how many answers, and where they end. */
final class SamplingFields {
    private static final int MOST_BIAS = 100;
    private static final Pattern TOKEN = Pattern.compile("\\d{1,9}");
    /** vLLM's word for all tokens. */
    private static final int ALL_TOKENS = -1;

    private SamplingFields() {
    }

    /** The options that the fields ask for; without limit of tokens, constraint and log-probabilities. */
    static GenerationOptions read(RequestFields fields) {
        return GenerationOptions.defaults().withSampling(sampling(fields))
                .withAnswers(fields.integer("n", 1, Bound.ANSWERS.count()).orElse(1))
                .withStopStrings(fields.get("stop").map(SamplingFields::stops).orElse(List.of()));
    }

    /** How tokens are chosen. */
    static Sampling sampling(RequestFields fields) {
        int topK = fields.integer("top_k", ALL_TOKENS, Integer.MAX_VALUE).orElse(0);
        double topP = fields.number("top_p", 0, 1).orElse(1);
        Sampling sampling = Sampling.of(fields.number("temperature", 0, 2).orElse(1),
                fields.wholeNumber("seed").orElseGet(() -> ThreadLocalRandom.current().nextLong()))
                .withTopK(Math.max(0, topK)).withMinP(fields.number("min_p", 0, 1).orElse(0))
                .withRepetitionPenalty(fields.number("repetition_penalty", Float.MIN_NORMAL, Float.MAX_VALUE).orElse(1))
                .withPenalties(fields.number("presence_penalty", -2, 2).orElse(0),
                        fields.number("frequency_penalty", -2, 2).orElse(0));
        // None but the most likely token, as OpenAI has it.
        sampling = topP == 0 ? sampling.withTopK(1) : sampling.withTopP(topP);
        return sampling.withLogitBias(bias(fields.inner("logit_bias")));
    }

    private static Map<Integer, Double> bias(RequestFields fields) {
        Map<Integer, Double> bias = new HashMap<>();
        for (String token : fields.names()) {
            if (!TOKEN.matcher(token).matches()) {
                throw ApiException.invalid("logit_bias", "'logit_bias' must have ids of tokens as its keys");
            }
            bias.put(Integer.valueOf(token), fields.number(token, -MOST_BIAS, MOST_BIAS).orElse(0));
        }
        return bias;
    }

    private static List<String> stops(JsonNode value) {
        if (value.isTextual()) {
            return List.of(value.textValue()).stream().filter(text -> !text.isEmpty()).toList();
        }
        RequestFields.require(value.isArray(), "stop", "a string or an array of strings", value);
        List<String> stops = new ArrayList<>();
        value.forEach(entry -> {
            RequestFields.require(entry.isTextual() && !entry.textValue().isEmpty(), "stop",
                    "a string or an array of strings that are not empty", entry);
            stops.add(entry.textValue());
        });
        if (stops.size() > Bound.STOPS.count()) {
            throw ApiException.invalid("stop",
                    "'stop' may have " + Bound.STOPS.count() + " texts, got " + stops.size());
        }
        return stops;
    }

    /**
     * The options with a limit of tokens: what was asked for, or what there is room for.
     *
     * @param prompt the field with the prompt
     * @param name the field that asked
     */
    static GenerationOptions limited(GenerationOptions options, String prompt, String name, Optional<Integer> wanted,
            int promptTokens, int mostTokens) {
        if (promptTokens >= mostTokens || promptTokens + wanted.orElse(0) > mostTokens) {
            throw ApiException.of(400, "invalid_request_error", "context_length_exceeded",
                    promptTokens >= mostTokens ? prompt : name, "This model's maximum context length is "
                            + mostTokens + " tokens, but the prompt has " + promptTokens
                            + wanted.map(tokens -> " and the answer may have " + tokens).orElse("")
                            + ". Shorten one of them.");
        }
        return options.withMaxNewTokens(wanted.orElse(mostTokens - promptTokens));
    }
}
