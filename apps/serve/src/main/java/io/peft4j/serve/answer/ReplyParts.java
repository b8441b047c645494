package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.text.Tokenizer.TokenBytes;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.Json;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Parts that replies of several routes have in common. */
final class ReplyParts {
    private final Tokenizer tokenizer;
    private final TokenBytes bytes;
    private final Set<Integer> stopTokens;

    ReplyParts(Tokenizer tokenizer, Set<Integer> stopTokens) {
        this.tokenizer = tokenizer;
        this.bytes = tokenizer.tokenBytes();
        this.stopTokens = stopTokens;
    }

    /** A new id with a prefix. */
    static String id(String prefix) {
        return prefix + UUID.randomUUID().toString().replace("-", "");
    }

    static ObjectNode head(String id, String object, long created, String model) {
        return Json.object().put("id", id).put("object", object).put("created", created).put("model", model)
                .put("system_fingerprint", "fp_peft4j");
    }

    static String finishReason(Completion completion) {
        return completion.stopReason() == Completion.StopReason.LENGTH ? "length" : "stop";
    }

    /** How many tokens there were, and where the time went if that is wanted. */
    static ObjectNode usage(List<PendingAnswer> pending, List<Completion> completions, Streaming wanted) {
        int prompt = pending.stream().mapToInt(PendingAnswer::promptTokens).sum();
        int answer = completions.stream().mapToInt(each -> each.ids().length).sum();
        ObjectNode usage = Json.object().put("prompt_tokens", prompt).put("completion_tokens", answer)
                .put("total_tokens", prompt + answer);
        usage.putObject("prompt_tokens_details")
                .put("cached_tokens", pending.stream().mapToInt(PendingAnswer::reusedTokens).sum());
        return timed(usage, pending, wanted.timings());
    }

    /** With {@code timings}, an object for each prompt, if that is wanted. */
    static ObjectNode timed(ObjectNode usage, List<PendingAnswer> pending, boolean wanted) {
        if (wanted) {
            pending.forEach(each -> each.timings().map(AnswerLog::json).ifPresent(usage.withArrayProperty(
                    "timings")::add));
        }
        return usage;
    }

    /** The {@code content} of a chat's {@code logprobs}; the token that ends an answer is not part of it. */
    ArrayNode logProbabilities(List<TokenProbability> tokens) {
        ArrayNode content = Json.array();
        for (TokenProbability token : tokens) {
            if (stopTokens.contains(token.id())) {
                continue;
            }
            ObjectNode entry = token(token.id(), token.text(), token.logProbability());
            ArrayNode top = entry.putArray("top_logprobs");
            token.mostLikely().forEach(each -> top.add(token(each.id(), each.text(), each.logProbability())));
            content.add(entry);
        }
        return content;
    }

    /** The tokens of an answer that are part of its text. */
    List<TokenProbability> shown(List<TokenProbability> tokens) {
        return tokens.stream().filter(token -> !stopTokens.contains(token.id())).toList();
    }

    private ObjectNode token(int id, String text, double logProbability) {
        ObjectNode entry = Json.object().put("token", text).put("logprob", logProbability);
        ArrayNode values = entry.putArray("bytes");
        for (byte value : id >= tokenizer.vocabSize() || tokenizer.isSpecial(id)
                ? text.getBytes(StandardCharsets.UTF_8) : bytes.of(id)) {
            values.add(value & 0xFF);
        }
        return entry;
    }
}
