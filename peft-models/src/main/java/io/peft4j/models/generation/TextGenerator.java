package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.TokenBound;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.tool.ToolForm;
import java.util.ArrayList;
import java.util.Arrays;
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
import java.util.stream.Collectors;
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
    private volatile Optional<Set<Integer>> marks = Optional.empty();

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
                    require(each.pending());
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
        return new GrowingAnswer(index, prompt.tokens(), tokenizer, stopTokens, marks(), masks, own,
                Math.min(options.maxNewTokens(), model.maxPositions() - prompt.tokens().length));
    }

    /** The special tokens that calls of tools and thoughts are known by: alone of all they are part of the text. */
    private Set<Integer> marks() {
        if (marks.isEmpty()) {
            marks = Optional.of(template.map(ToolForm::marked).orElse(List.of()).stream()
                    .flatMapToInt(text -> IntStream.of(tokenizer.encode(text))).filter(tokenizer::isSpecial).boxed()
                    .collect(Collectors.toSet()));
        }
        return marks.get();
    }

    /** What a constraint needs to know of the vocabulary. */
    TokenMasks.Table table() {
        TokenMasks.Table known = table;
        if (known == null) {
            known = new TokenMasks.Table(tokenizer, marks());
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

    /**
     * Beam search with an encoder-decoder for some sources at once. A path names the rows of the cache that hold its
     * tokens, so that paths that part share what they have in common, and nothing is copied.
     */
    private static final class BeamDecoding {
        private final ModelLease model;
        private final GenerationOptions options;
        private final Set<Integer> stopTokens;

        BeamDecoding(ModelLease model, GenerationOptions options, Set<Integer> stopTokens) {
            this.model = model;
            this.options = options;
            this.stopTokens = stopTokens;
        }

        /** The best answer to each prompt: its tokens. */
        List<int[]> search(List<EncodedPrompt> sources) {
            PackedBatch first = model.layers().prepare(PackedBatch
                    .of(sources.stream().map(EncodedPrompt::sequence).toList()))
                    .withCacheRows();
            PackedBatch read = first.source().orElseThrow().batch();
            int used = first.layout().keyRows();
            // What an adapter puts before all sequences.
            int past = used - sources.size();
            List<Beam> beams = IntStream.range(0, sources.size()).mapToObj(i -> new Beam(options.beams(), stopTokens,
                    options.maxNewTokens(),
                    IntStream.concat(IntStream.range(0, past), IntStream.of(past + i)).toArray()))
                    .toList();
            try (Workspace workspace = model.engine().generation(sources.size() * options.beams().count());
                    KvCache cache = model.network().causal().newCache(Math.max(used, read.rows()))) {
                advance(beams, run(workspace, first, cache));
                while (beams.stream().anyMatch(Beam::isRunning)) {
                    List<Beam> running = beams.stream().filter(Beam::isRunning).toList();
                    PackedBatch batch = step(beams, read, past, used);
                    batch = batch.withTasks(IntStream.of(batch.source().orElseThrow().ofSegments())
                            .map(i -> sources.get(i).task()).toArray());
                    used += batch.rows();
                    if (used > cache.rows()) {
                        cache.grow(Math.max(used, 2 * cache.rows()));
                    }
                    advance(running, run(workspace, batch, cache));
                }
            }
            return beams.stream().map(beam -> beam.best().tokens()).toList();
        }

        /** The last token of each path that is followed, whose keys and values go to the rows from {@code used} on. */
        private static PackedBatch step(List<Beam> beams, PackedBatch read, int past, int used) {
            List<AttentionLayout.Segment> segments = new ArrayList<>();
            List<Integer> sources = new ArrayList<>();
            List<Integer> tokens = new ArrayList<>();
            List<Integer> positions = new ArrayList<>();
            for (int b = 0; b < beams.size(); b++) {
                if (!beams.get(b).isRunning()) {
                    continue;
                }
                int firstRow = used + segments.size();
                for (Beam.Path path : beams.get(b).followed()) {
                    int row = segments.size();
                    segments.add(new AttentionLayout.Segment(row, row + 1, ranges(path.rows()), used + row, 0));
                    sources.add(b);
                    tokens.add(path.last());
                    positions.add(past + path.tokens().length);
                }
                beams.get(b).inRows(IntStream.range(firstRow, used + segments.size()).toArray());
            }
            int[] rows = IntStream.range(0, tokens.size()).toArray();
            return new PackedBatch(ints(tokens), ints(positions), new AttentionLayout(segments),
                    new PackedBatch.Targets(new int[0], new int[0], new float[0], new int[0]), rows,
                    IntStream.of(rows).map(row -> used + row).toArray()).withSource(read, ints(sources));
        }

        private static int[] ints(List<Integer> values) {
            return values.stream().mapToInt(Integer::intValue).toArray();
        }

        /** Rows in their order as ranges, neighbours together. */
        private static List<AttentionLayout.Range> ranges(int[] rows) {
            List<AttentionLayout.Range> ranges = new ArrayList<>();
            int begin = 0;
            for (int i = 1; i <= rows.length; i++) {
                if (i == rows.length || rows[i] != rows[i - 1] + 1) {
                    ranges.add(new AttentionLayout.Range(rows[begin], rows[i - 1] + 1));
                    begin = i;
                }
            }
            return ranges;
        }

        private List<float[]> run(Workspace workspace, PackedBatch batch, KvCache cache) {
            List<float[]> rows = new ArrayList<>();
            try (Pass pass = Pass.generation(model, workspace, batch, cache)) {
                int[] all = IntStream.range(0, batch.rows()).toArray();
                float[] logits = pass.logits(all);
                int columns = logits.length / all.length;
                for (int i = 0; i < all.length; i++) {
                    rows.add(Arrays.copyOfRange(logits, i * columns, (i + 1) * columns));
                }
            }
            return rows;
        }

        private static void advance(List<Beam> beams, List<float[]> logits) {
            int at = 0;
            for (Beam beam : beams) {
                int paths = beam.followed().size();
                beam.advance(logits.subList(at, at + paths));
                at += paths;
            }
        }
    }
}
