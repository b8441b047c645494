package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Beams;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.AdapterLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.models.generation.AnswerService.AnswerStatus;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes requests of requests, on the threads of those who ask: finds the adapter, encodes the prompt, and refuses what
 * cannot be answered.
 */
final class RequestIntake implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestIntake.class);
    private static final int KEPT_MASKS = 32;
    /** Memory that kept masks may take; those of a JSON schema take about a megabyte. */
    private static final long MASK_BYTES = Runtime.getRuntime().maxMemory() / 64;
    private static final AtomicInteger THREADS = new AtomicInteger();

    private final BaseLanguageModel base;
    private final Optional<PeftModel> adapters;
    private final AnswerServiceOptions options;
    private final TextGenerator generator;
    private final int rows;
    private final AnswerLoop loop;
    private final ExecutorService listeners = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "peft4j-listener-" + THREADS.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    });
    /** Of the constraints that were met last; what they have found of the vocabulary serves further requests. */
    private final Map<String, TokenMasks> masks = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * An intake.
     *
     * @throws ConfigurationException when the model does not predict tokens, or the cache has no room
     */
    public RequestIntake(BaseLanguageModel base, Optional<PeftModel> adapters, AnswerServiceOptions options) {
        this.base = base;
        this.adapters = adapters;
        CacheShare share = CacheShare.of(base.network(), options, adapters.stream()
                .flatMap(model -> model.adapterNames().stream().map(model::adapter)).mapToInt(Adapter::layersBeside)
                .filter(layers -> layers > 0).toArray());
        this.options = options.withRows(share.rows());
        this.generator = new TextGenerator(base.tokenizer(), base.chatTemplate(), base.stopTokens());
        if (share.pages() < 2) {
            throw new ConfigurationException("cacheBytes is " + options.cacheBytes() + ", which has room for fewer "
                    + "than " + 2 * CachePages.PAGE + " tokens of " + base.network().description().name());
        }
        if (share.rows() < options.rows()) {
            LOG.info("cacheBytes of {} MB have room for states of {} at once, not of {}", options.cacheBytes() >> 20,
                    Count.of(share.rows(), "answer"), options.rows());
        }
        this.rows = share.pages() * CachePages.PAGE;
        this.loop = new AnswerLoop(generator, this.options, share);
    }

    /** Takes a request. */
    public PendingAnswer submit(AnswerRequest request) {
        loop.requireRoom(request.client());
        check(request.options());
        forgetMasks();
        try (Closer opened = new Closer()) {
            PendingRequest pending = pending(request);
            opened.add(pending::release);
            loop.add(pending);
            opened.keep();
            return pending;
        }
    }

    private void check(GenerationOptions wanted) {
        if (wanted.answers() > options.rows()) {
            throw new ConfigurationException(wanted.answers() + " answers exceed the limit of concurrent answers, "
                    + options.rows());
        }
        if (!wanted.beams().equals(Beams.NONE) && !(base.network() instanceof EncoderDecoderNetwork)) {
            throw new ConfigurationException("beam search supports encoder-decoders only");
        }
    }

    private PendingRequest pending(AnswerRequest request) {
        try (Closer opened = new Closer()) {
            ModelLease lease = opened.add(base.lease());
            Optional<AdapterLease> adapter = adapter(request.adapter());
            adapter.ifPresent(opened::add);
            ModelLease model = lease.withLayers(adapter.map(AdapterLease::layers).orElse(LayerSelection.BASE));
            EncodedPrompt prompt = generator.encode(model, request.prompt(), 0);
            PendingRequest pending = new PendingRequest(request, prompt, prompt.invoked(model), lease, adapter,
                    listeners, loop::wake);
            Optional<TokenMasks> allowed = request.options().constraint().map(this::masks);
            for (int i = 0; i < request.options().answers(); i++) {
                pending.answers().add(generator.answer(model, i, prompt, allowed, pending.options()));
            }
            requireRoom(pending, model.layers().virtualTokens());
            opened.keep();
            return pending;
        }
    }

    private Optional<AdapterLease> adapter(String name) {
        if (name.equals(PeftModel.BASE)) {
            return Optional.empty();
        }
        return Optional.of(adapters.orElseThrow(() -> new ConfigurationException("unknown adapter '" + name
                + "'; the service was opened for the base model alone")).leaseAdapter(name));
    }

    private void requireRoom(PendingRequest pending, int virtualTokens) {
        int most = roomBehind(virtualTokens);
        int wanted = pending.prompt().tokens().length + pending.answers().get(0).most();
        if (wanted > most) {
            throw new ConfigurationException("the prompt has " + pending.promptTokens() + " tokens and its answer may "
                    + "have " + pending.answers().get(0).most() + ", but there is room for keys and values of " + most
                    + "; lower maxNewTokens, or give the service more cacheBytes");
        }
    }

    /** What a constraint allows, which is found when the request waits for its turn. */
    private synchronized TokenMasks masks(TextConstraint constraint) {
        return masks.computeIfAbsent(constraint.description(), text -> new TokenMasks(constraint, generator.table()));
    }

    /** Forgets those that were met longest ago; they grow while answers follow them, so that each request looks. */
    private synchronized void forgetMasks() {
        long bytes = masks.values().stream().mapToLong(TokenMasks::bytes).sum();
        Iterator<TokenMasks> eldest = masks.values().iterator();
        while (bytes > MASK_BYTES && eldest.hasNext() || masks.size() > KEPT_MASKS) {
            bytes -= eldest.next().bytes();
            eldest.remove();
        }
    }

    /** The tokens that prompt and answer may have together. */
    public int mostTokens(String name) {
        Optional<AdapterLease> found = adapter(name);
        try {
            int virtual = found.map(lease -> lease.layers().virtualTokens()).orElse(0);
            return Math.min(base.network().description().maxPositions() - virtual, roomBehind(virtual));
        } finally {
            found.ifPresent(AdapterLease::close);
        }
    }

    private int roomBehind(int virtualTokens) {
        return rows - CachePages.needed(virtualTokens) * CachePages.PAGE - 1;
    }

    /** What is done now and has been. */
    public AnswerStatus status() {
        return loop.status();
    }

    /** Why answers do not come, as of a time of {@link System#nanoTime}; empty where they do. */
    public Optional<String> problem(long now) {
        return loop.problem(now);
    }

    /** Waits until nothing runs and nothing waits; whether that came true in time. */
    public boolean awaitIdle(Duration most) throws InterruptedException {
        return loop.awaitIdle(most);
    }

    @Override
    public void close() {
        loop.close();
        listeners.shutdown();
    }
}
