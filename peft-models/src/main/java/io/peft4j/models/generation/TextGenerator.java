package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.TokenBound;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Answers prompts: renders and encodes them, and lets their answers grow in an {@link AnswerBatch}. Prompts of similar
 * length run together; answers stand in the order of the prompts and do not depend on the batch.
 */
@Internal
public final class TextGenerator {
    private final Tokenizer tokenizer;
    private final Optional<ChatTemplate> template;
    private final Set<Integer> stopTokens;
    private final TaskIds tasks = new TaskIds(LayerSelection.BASE);
    /** Made when something first asks for it. */
    private volatile TokenMasks.Table table;

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
        List<EncodedPrompt> encoded = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            EncodedPrompt prompt = encode(model, prompts.get(i), i);
            encoded.addAll(Collections.nCopies(options.answers(), prompt));
        }
        if (options.beams().count() > 1) {
            return search(model, encoded, options);
        }
        Optional<TokenMasks> masks = options.constraint().map(constraint -> new TokenMasks(constraint, table()));
        Integer[] order = IntStream.range(0, encoded.size()).boxed()
                .sorted(Comparator.comparingInt(i -> encoded.get(i).length())).toArray(Integer[]::new);
        List<GrowingAnswer> answers = IntStream.range(0, encoded.size())
                .mapToObj(i -> answer(model, i, encoded.get(i), masks, options)).toList();
        // What an encoder reads is computed with the first step.
        int together = model.network() instanceof EncoderDecoderNetwork ? options.batchSize() : order.length;
        for (int from = 0; from < order.length; from += together) {
            List<PendingRequest> requests = List.of(order).subList(from, Math.min(order.length, from + together))
                    .stream().map(i -> request(model, prompts.get(i / options.answers()), encoded.get(i),
                            answers.get(i)))
                    .toList();
            if (answers.stream().noneMatch(GrowingAnswer::isCancelled)) {
                run(model, requests, options);
            }
            if (answers.stream().anyMatch(GrowingAnswer::isCancelled)) {
                answers.forEach(GrowingAnswer::cancel);
            }
        }
        return answers.stream().map(GrowingAnswer::completion).toList();
    }

    private static PendingRequest request(ModelLease model, Prompt prompt, EncodedPrompt encoded,
            GrowingAnswer answer) {
        PendingRequest request = new PendingRequest(AnswerRequest.of(prompt), encoded, encoded.invoked(model), model,
                Optional.empty(), Runnable::run, () -> {
                });
        request.answers().add(answer);
        return request;
    }

    /** Runs answers to their end, or until one is cancelled; each that ends makes room for the next one. */
    private static void run(ModelLease model, List<PendingRequest> requests, GenerationOptions options) {
        Iterator<PendingRequest> waiting = requests.iterator();
        try (AnswerBatch batch = AnswerBatch.growing(model, requests.stream().map(PendingRequest::prompt).toList(),
                Math.min(requests.size(), options.batchSize()), 1 + options.promptLookup())) {
            do {
                while (waiting.hasNext() && batch.sequences().size() < options.batchSize()) {
                    join(batch, waiting.next());
                }
                batch.step(each -> true);
                for (Sequence each : List.copyOf(batch.sequences())) {
                    require(each.ticket());
                    if (each.answer().isCancelled()) {
                        return;
                    }
                    if (!each.answer().isRunning()) {
                        batch.leave(each);
                    }
                }
            } while (waiting.hasNext() || !batch.sequences().isEmpty());
        }
    }

    private static void join(AnswerBatch batch, PendingRequest request) {
        batch.join(request);
        require(request);
    }

    private static void require(PendingRequest request) {
        request.failure().ifPresent(failure -> {
            throw failure;
        });
    }

    /** Beam search, which is for encoder-decoders and takes the logits as they are. */
    private List<Completion> search(ModelLease model, List<EncodedPrompt> prompts, GenerationOptions options) {
        boolean plain = options.sampling().isGreedy() && options.sampling().isWithoutPenalties()
                && options.answers() == 1 && options.stopStrings().isEmpty() && options.constraint().isEmpty()
                && options.promptLookup() == 0 && options.logProbabilities().isEmpty();
        if (!(model.network() instanceof EncoderDecoderNetwork) || !plain) {
            throw new ConfigurationException("beam search supports encoder-decoders only, greedy, with one "
                    + "answer and without penalties, stop strings, constraints, prompt lookup and log-probabilities");
        }
        List<Completion> completions = new ArrayList<>();
        int together = Math.max(1, options.batchSize() / options.beams().count());
        for (int from = 0; from < prompts.size(); from += together) {
            List<EncodedPrompt> some = prompts.subList(from, Math.min(prompts.size(), from + together));
            List<int[]> found = new BeamDecoding(model, options, stopTokens).search(some);
            for (int i = 0; i < found.size(); i++) {
                int[] ids = found.get(i);
                completions.add(new Completion(tokenizer.decode(ids, true), ids,
                        stopTokens.contains(ids[ids.length - 1]) ? Completion.StopReason.STOP_TOKEN
                                : Completion.StopReason.LENGTH,
                        some.get(i).source().length));
            }
        }
        return completions;
    }

    /** An answer without tokens. */
    GrowingAnswer answer(ModelLease model, int index, EncodedPrompt prompt, Optional<TokenMasks> masks,
            GenerationOptions options) {
        // What is tried behind a token would be read with it.
        GenerationOptions own = model.layers().readsWholeSequences() ? options.withPromptLookup(0) : options;
        return new GrowingAnswer(index, prompt.tokens(), tokenizer, stopTokens, masks, own,
                Math.min(options.maxNewTokens(), model.maxPositions() - prompt.tokens().length));
    }

    /** What a constraint needs to know of the vocabulary. */
    TokenMasks.Table table() {
        TokenMasks.Table known = table;
        if (known == null) {
            known = new TokenMasks.Table(tokenizer);
            table = known;
        }
        return known;
    }

    /** The token ids of a prompt that are continued, or that an encoder reads. */
    public int[] encode(ModelLease model, Prompt prompt) {
        EncodedPrompt encoded = encode(model, prompt, 0);
        return encoded.source().length > 0 ? encoded.source() : encoded.tokens();
    }

    /** A prompt as token ids; {@code index} names it in messages. */
    EncodedPrompt encode(ModelLease model, Prompt prompt, int index) {
        int limit = model.maxPositions();
        int[] ids;
        if (prompt instanceof Prompt.Chat chat) {
            ChatTemplate chatTemplate = template.orElseThrow(() -> new ConfigurationException(
                    model.network().description().name() + " has no chat template; use Prompt.text, or a checkpoint "
                            + "with a chat template"));
            ids = tokens(chatTemplate.render(chat.messages(), true, chat.tools(), Map.of()), limit, index,
                    tokenizer::encode);
        } else if (prompt instanceof Prompt.Text text) {
            ids = tokens(text.text(), limit, index, model.network() instanceof EncoderDecoderNetwork
                    ? tokenizer::encodeWithSpecials : tokenizer::encodeToContinue);
        } else {
            ids = ((Prompt.Tokens) prompt).ids();
            int size = model.network().description().vocabularySize();
            IntStream.of(ids).filter(id -> id < 0 || id >= size).findFirst().ifPresent(id -> {
                throw new ConfigurationException("prompt " + index + " has the token " + id
                        + "; the vocabulary is 0 to " + (size - 1));
            });
        }
        if (ids.length == 0 || ids.length >= limit) {
            throw new ConfigurationException("prompt " + index + " has " + ids.length + " tokens; it must have "
                    + "at least 1, and fewer than the limit of " + limit + ", so that an answer fits");
        }
        int task = tasks.in(model.layers()).require(prompt.task(),
                problem -> new ConfigurationException("prompt " + index + " " + problem));
        return model.network() instanceof EncoderDecoderNetwork network
                ? new EncodedPrompt(new int[] {network.startToken()}, ids, task, model.layers().group(index))
                : new EncodedPrompt(ids, new int[0], task, model.layers().group(index));
    }

    private static int[] tokens(String text, int limit, int index, Function<String, int[]> encoding) {
        if (TokenBound.beyond(text, limit, encoding) > 0) {
            throw new ConfigurationException(String.format(Locale.ROOT, "prompt %d has %,d characters, which are more "
                    + "than the %,d tokens that there is room for", index, text.length(), limit));
        }
        return TokenBound.of(text, encoding);
    }
}
