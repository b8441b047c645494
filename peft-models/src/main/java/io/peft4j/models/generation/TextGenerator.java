package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Answers prompts: renders and encodes them, runs them in batches, chooses tokens and turns them into text. Prompts of
 * similar length share a batch; answers stand in the order of the prompts and do not depend on the batch.
 */
public final class TextGenerator {
    private final Tokenizer tokenizer;
    private final Optional<ChatTemplate> template;
    private final Set<Integer> stopTokens;

    /**
     * A generator.
     *
     * @param stopTokens token ids that end an answer
     */
    public TextGenerator(Tokenizer tokenizer, Optional<ChatTemplate> template, Set<Integer> stopTokens) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
        this.template = Objects.requireNonNull(template, "template");
        this.stopTokens = Set.copyOf(stopTokens);
    }

    /**
     * Answers the prompts.
     *
     * @param model kept open by the caller meanwhile
     * @throws ConfigurationException when a prompt leaves no room for an answer, or a chat has no template
     */
    public List<Completion> generate(ModelLease model, List<Prompt> prompts, GenerationOptions options) {
        List<int[]> encoded = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            encoded.add(encode(model, prompts.get(i), i));
        }
        Integer[] order = IntStream.range(0, prompts.size()).boxed()
                .sorted(Comparator.comparingInt(i -> encoded.get(i).length)).toArray(Integer[]::new);
        Completion[] completions = new Completion[prompts.size()];
        boolean running = true;
        for (int from = 0; from < order.length; from += options.batchSize()) {
            List<Integer> batch = List.of(order).subList(from, Math.min(order.length, from + options.batchSize()));
            if (running) {
                running = runBatch(model, batch, encoded, options, completions);
            } else {
                batch.forEach(i -> completions[i] = new Completion("", new int[0], StopReason.CANCELLED,
                        encoded.get(i).length));
            }
        }
        return List.of(completions);
    }

    private int[] encode(ModelLease model, Prompt prompt, int index) {
        int limit = model.maxPositions();
        int[] ids;
        if (prompt instanceof Prompt.Chat chat) {
            ChatTemplate chatTemplate = template.orElseThrow(() -> new ConfigurationException(
                    model.network().description().name() + " has no chat template; use Prompt.text, or a checkpoint "
                            + "with a chat template"));
            ids = tokenizer.encode(chatTemplate.render(chat.messages(), true));
        } else if (prompt instanceof Prompt.Text text) {
            ids = tokenizer.encodeWithSpecials(text.text());
        } else {
            ids = ((Prompt.Tokens) prompt).ids();
        }
        if (ids.length == 0 || ids.length >= limit) {
            throw new ConfigurationException("prompt " + index + " has " + ids.length + " tokens; it must have "
                    + "at least 1, and fewer than the " + limit + " that there is room for, so that an answer fits");
        }
        return ids;
    }

    private boolean runBatch(ModelLease model, List<Integer> batch, List<int[]> encoded,
            GenerationOptions options, Completion[] completions) {
        List<int[]> prompts = batch.stream().map(encoded::get).toList();
        int[] rooms = prompts.stream().mapToInt(prompt -> Math.min(options.maxNewTokens(),
                model.maxPositions() - prompt.length)).toArray();
        Answer[] answers = new Answer[batch.size()];
        for (int i = 0; i < answers.length; i++) {
            answers[i] = new Answer(batch.get(i), tokenizer, stopTokens, options, rooms[i]);
        }
        try (DecodingBatch decoding = new DecodingBatch(model, prompts,
                batch.stream().mapToInt(model.layers()::group).toArray())) {
            decoding.prompts((i, logits) -> answers[i].next(logits));
            int[] running = stillRunning(answers);
            while (running.length > 0) {
                int[] tokens = Arrays.stream(running).map(i -> answers[i].lastToken()).toArray();
                int[] before = Arrays.stream(running).map(i -> answers[i].length() - 1).toArray();
                decoding.step(running, tokens, before, (i, logits) -> answers[i].next(logits));
                if (Arrays.stream(answers).anyMatch(Answer::isCancelled)) {
                    Arrays.stream(answers).forEach(Answer::cancel);
                }
                running = stillRunning(answers);
            }
        }
        for (int i = 0; i < answers.length; i++) {
            completions[batch.get(i)] = answers[i].completion(prompts.get(i).length);
        }
        return Arrays.stream(answers).noneMatch(Answer::isCancelled);
    }

    private static int[] stillRunning(Answer[] answers) {
        return IntStream.range(0, answers.length).filter(i -> answers[i].isRunning()).toArray();
    }
}
