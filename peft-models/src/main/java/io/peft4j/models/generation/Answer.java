package io.peft4j.models.generation;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.text.TokenStreamDecoder;
import io.peft4j.core.text.Tokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * One answer while it grows. Text goes to the listener as soon as its characters are complete; where texts end an
 * answer, as much is held back as could be the beginning of one.
 */
final class Answer {
    private final int prompt;
    private final Tokenizer tokenizer;
    private final Set<Integer> stopTokens;
    private final GenerationOptions options;
    private final Sampler sampler;
    private final TokenStreamDecoder stream;
    private final int longestStop;
    private final StringBuilder text = new StringBuilder();
    private final int[] ids;
    private int length;
    private int told;
    private Optional<StopReason> stopped = Optional.empty();

    Answer(int prompt, Tokenizer tokenizer, Set<Integer> stopTokens, GenerationOptions options, int maxNewTokens) {
        this.prompt = prompt;
        this.tokenizer = tokenizer;
        this.stopTokens = stopTokens;
        this.options = options;
        this.sampler = new Sampler(options, prompt);
        this.stream = tokenizer.streamDecoder(true);
        this.longestStop = options.stopStrings().stream().mapToInt(String::length).max().orElse(0);
        this.ids = new int[maxNewTokens];
    }

    boolean isRunning() {
        return stopped.isEmpty();
    }

    boolean isCancelled() {
        return stopped.equals(Optional.of(StopReason.CANCELLED));
    }

    int length() {
        return length;
    }

    int lastToken() {
        return ids[length - 1];
    }

    /** Chooses the next token and decides whether the answer ends with it. */
    void next(Logits logits) {
        int id = sampler.choose(logits);
        ids[length++] = id;
        if (stopTokens.contains(id)) {
            finish(StopReason.STOP_TOKEN);
            return;
        }
        // Rows of the embedding beyond the tokenizer's vocabulary have no text.
        text.append(id < tokenizer.vocabSize() ? stream.accept(id) : "");
        if (cutAtStopString()) {
            finish(StopReason.STOP_TOKEN);
        } else if (length == ids.length) {
            text.append(stream.finish());
            finish(StopReason.LENGTH);
        } else {
            tell(text.length() - Math.max(0, longestStop - 1));
        }
    }

    void cancel() {
        if (isRunning()) {
            stopped = Optional.of(StopReason.CANCELLED);
        }
    }

    Completion completion(int promptTokens) {
        return new Completion(text.toString(), Arrays.copyOf(ids, length), stopped.orElseThrow(), promptTokens);
    }

    private void finish(StopReason reason) {
        stopped = Optional.of(reason);
        tell(text.length());
    }

    private void tell(int end) {
        String piece = end > told ? text.substring(told, end) : "";
        told = Math.max(told, end);
        if (!options.listener().onText(prompt, piece)) {
            stopped = Optional.of(StopReason.CANCELLED);
        }
    }

    private boolean cutAtStopString() {
        int cut = options.stopStrings().stream().mapToInt(s -> text.indexOf(s, Math.max(0, told - s.length())))
                .filter(i -> i >= 0).min().orElse(-1);
        if (cut >= 0) {
            text.setLength(cut);
        }
        return cut >= 0;
    }
}
