package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How requests wait, run and end. */
class AnswerServiceTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");
    /** Keys and values of a token: 3 layers of 2 heads of 8 floats. */
    private static final long ROW_BYTES = 2 * 3 * 2 * 8 * 4;
    private static final AnswerServiceOptions OPTIONS = AnswerServiceOptions.defaults().withRows(4)
            .withCacheBytes(512 * ROW_BYTES).withPromptChunk(16);
    private static final GenerationOptions LONG = GenerationOptions.defaults().withMaxNewTokens(150);
    private static BaseModel model;

    @BeforeAll
    static void load() {
        model = load("tiny-llama");
    }

    private static BaseModel load(String name) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(FIXTURES.resolve(name).toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), new NaiveKernels());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Prompt prompt(int length, int seed) {
        return Prompt.tokens(IntStream.range(0, length).map(i -> 3 + (seed * 31 + i * 11) % 120).toArray());
    }

    private static AnswerRequest request(int length, int seed, GenerationOptions options) {
        return AnswerRequest.of(prompt(length, seed)).withOptions(options);
    }

    private static Completion alone(AnswerRequest request) {
        return model.generate(List.of(request.prompt()), request.options()).get(0);
    }

    private static void assertSame(Completion expected, Completion actual) {
        assertArrayEquals(expected.ids(), actual.ids());
        assertEquals(expected.text(), actual.text());
        assertEquals(expected.stopReason(), actual.stopReason());
        assertEquals(expected.promptTokens(), actual.promptTokens());
    }

    @Test
    void requestsJoinAndLeaveWhileOthersGoOn() {
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            List<AnswerRequest> requests = IntStream.range(0, 12).mapToObj(i -> request(5 + i * 17 % 60, i,
                    GenerationOptions.defaults().withMaxNewTokens(5 + i * 13 % 40).withSampling(i % 2 == 0
                            ? Sampling.greedy() : Sampling.of(1, i))))
                    .toList();
            List<PendingAnswer> pending = requests.stream().map(service::submit).toList();
            for (int i = 0; i < requests.size(); i++) {
                assertSame(alone(requests.get(i)), pending.get(i).completions().join().get(0));
            }
            AnswerService.AnswerStatus status = service.status();
            assertEquals(requests.stream().mapToLong(each -> ((Prompt.Tokens) each.prompt()).ids().length).sum(),
                    status.promptTokens());
            assertEquals(0, status.usedCacheRows());
        }
    }

    @Test
    void turnsInWhichNoAnswerGrowsAreNoProgress() throws InterruptedException {
        Gate gate = new Gate("stalled");
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            service.submit(request(5, 1, LONG.withConstraint(gate)));
            long later = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            assertFalse(service.awaitIdle(Duration.ofMillis(500)));
            assertEquals("answers have not gone on for 60 s; waiting: 1 request", service.problem(later).orElse(""));
            gate.open();
        }
    }

    @Test
    void theListenerHearsTheAnswerInPieces() {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(20).withLogProbabilities(2)
                .withStopStrings(List.of("never comes"));
        StringBuilder text = new StringBuilder();
        List<TokenProbability> tokens = Collections.synchronizedList(new ArrayList<>());
        List<Completion> ended = Collections.synchronizedList(new ArrayList<>());
        AnswerRequest request = request(9, 1, options).withListener(new AnswerListener() {
            @Override
            public boolean onText(int answer, String piece, List<TokenProbability> more) {
                text.append(piece);
                tokens.addAll(more);
                return true;
            }

            @Override
            public void onEnd(int answer, Completion completion) {
                ended.add(completion);
            }
        });
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            Completion completion = service.submit(request).completions().join().get(0);
            assertEquals(completion.text(), text.toString());
            assertEquals(completion.probabilities(), tokens);
            assertEquals(1, ended.size());
            assertSame(completion, ended.get(0));
            assertSame(alone(request(9, 1, options)), completion);
        }
    }

    @Test
    void severalAnswersAreThoseOfTheModel() {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(12).withAnswers(3)
                .withSampling(Sampling.of(1.2, 7));
        AnswerRequest request = request(70, 2, options);
        List<Completion> expected = model.generate(List.of(request.prompt()), options);
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            List<Completion> actual = service.submit(request).completions().join();
            assertEquals(3, actual.size());
            for (int i = 0; i < 3; i++) {
                assertSame(expected.get(i), actual.get(i));
            }
            // The first computes the two full pages that all of them begin with.
            assertEquals(2 * 64, service.status().reusedTokens());
        }
    }

    @Test
    void aBeginningThatComesAgainIsNotComputedAgain() {
        AnswerRequest request = request(100, 3, GenerationOptions.defaults().withMaxNewTokens(8));
        try (AnswerService service = AnswerService.open(model, OPTIONS);
                AnswerService forgetting = AnswerService.open(model, OPTIONS.withPrefixes(false))) {
            for (int i = 0; i < 2; i++) {
                assertSame(alone(request), service.submit(request).completions().join().get(0));
                assertEquals(i * 96, service.status().reusedTokens());
                assertSame(alone(request), forgetting.submit(request).completions().join().get(0));
            }
            assertEquals(96, service.status().keptCacheRows());
            assertEquals(0, forgetting.status().reusedTokens());
            assertEquals(0, forgetting.status().keptCacheRows());
        }
    }

    /** Room for two of four: the younger ones wait, or lose their pages and begin again where they were. */
    @Test
    void answersThatLackRoomAreTheSame() {
        List<AnswerRequest> requests = IntStream.range(0, 4).mapToObj(i -> request(40 + i, i,
                LONG.withSampling(Sampling.of(1, i)).withPromptLookup(i))).toList();
        try (AnswerService service = AnswerService.open(model, OPTIONS.withCacheBytes(320 * ROW_BYTES))) {
            assertEquals(320, service.status().cacheRows());
            List<PendingAnswer> pending = requests.stream().map(service::submit).toList();
            for (int i = 0; i < requests.size(); i++) {
                assertSame(alone(requests.get(i)), pending.get(i).completions().join().get(0));
            }
        }
    }

    @Test
    void aConstraintHoldsForItsRequestAlone() {
        GenerationOptions numbers = GenerationOptions.defaults().withMaxNewTokens(10)
                .withConstraint(TextConstraints.regex("[0-9]{2}-[0-9]{3}"));
        AnswerRequest constrained = request(6, 1, numbers);
        AnswerRequest free = request(6, 1, GenerationOptions.defaults().withMaxNewTokens(10));
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            PendingAnswer first = service.submit(constrained);
            PendingAnswer second = service.submit(free);
            assertTrue(first.completions().join().get(0).text().matches("[0-9]{2}-[0-9]{3}"));
            assertSame(alone(free), second.completions().join().get(0));
        }
    }

    @Test
    void aCancelledRequestFreesItsRow() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        try (AnswerService service = AnswerService.open(model, OPTIONS.withRows(1))) {
            PendingAnswer first = service.submit(request(5, 1, LONG).withListener((answer, piece, tokens) -> {
                begun.countDown();
                return true;
            }));
            PendingAnswer second = service.submit(request(5, 2, LONG));
            PendingAnswer third = service.submit(request(5, 3, GenerationOptions.defaults().withMaxNewTokens(3)));
            begun.await();
            second.cancel();
            first.cancel();
            Completion cut = first.completions().join().get(0);
            assertEquals(StopReason.CANCELLED, cut.stopReason());
            assertTrue(cut.ids().length > 0 && cut.ids().length < 150, cut.ids().length + " tokens");
            assertEquals(0, second.completions().join().get(0).ids().length);
            assertEquals(3, third.completions().join().get(0).ids().length);
            assertTrue(service.awaitIdle(Duration.ofMinutes(1)));
            assertEquals(0, service.status().usedCacheRows());
        }
    }

    @Test
    void aListenerCancelsAndItsExceptionEndsTheRequest() {
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            PendingAnswer enough = service.submit(request(5, 1, LONG).withListener((answer, piece, tokens) -> false));
            assertEquals(StopReason.CANCELLED, enough.completions().join().get(0).stopReason());
            PendingAnswer broken = service.submit(request(5, 1, LONG).withListener((answer, piece, tokens) -> {
                throw new IllegalStateException("the socket is gone");
            }));
            Throwable reason = assertThrows(CompletionException.class, () -> broken.completions().join()).getCause();
            assertEquals("the socket is gone", reason.getMessage());
        }
    }

    @Test
    void aRequestThatTakesTooLongFails() {
        try (AnswerService service = AnswerService.open(model, OPTIONS.withRows(1))) {
            PendingAnswer running = service.submit(request(5, 1, LONG).withTimeout(Duration.ofMillis(1)));
            PendingAnswer waiting = service.submit(request(5, 2, LONG).withTimeout(Duration.ofMillis(1)));
            for (PendingAnswer each : List.of(running, waiting)) {
                assertInstanceOf(AnswerTimeoutException.class,
                        assertThrows(CompletionException.class, () -> each.completions().join()).getCause());
            }
        }
    }

    @Test
    void moreRequestsThanMayWaitAreRefused() {
        try (AnswerService service = AnswerService.open(model, OPTIONS.withRows(1).withWaiting(3, 2))) {
            List<PendingAnswer> taken = new ArrayList<>();
            Gate gate = new Gate("anything, later");
            AnswerRequest request = request(5, 1, LONG);
            taken.add(service.submit(request(5, 1, LONG.withConstraint(gate))));
            gate.awaitFirstToken();
            for (int i = 0; i < 2; i++) {
                taken.add(service.submit(request.withClient("one")));
            }
            OverloadedException refused = assertThrows(OverloadedException.class,
                    () -> service.submit(request.withClient("one")));
            assertTrue(refused.getMessage().contains("2 requests of this client are waiting"), refused.getMessage());
            assertTrue(refused.retryAfter().compareTo(Duration.ofSeconds(1)) >= 0);
            taken.add(service.submit(request.withClient("another")));
            OverloadedException full = assertThrows(OverloadedException.class,
                    () -> service.submit(request.withClient("a third")));
            assertTrue(full.getMessage().startsWith("3 requests are waiting"), full.getMessage());
            assertEquals(3, service.status().waiting());
            taken.forEach(PendingAnswer::cancel);
            gate.open();
            taken.forEach(each -> each.completions().join());
        }
    }

    @Test
    void aSlowListenerHoldsUpNobodyElse() {
        CountDownLatch others = new CountDownLatch(1);
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(20);
        StringBuilder heard = new StringBuilder();
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            PendingAnswer slow = service.submit(request(5, 1, options).withListener((answer, piece, tokens) -> {
                Gate.await(others);
                heard.append(piece);
                return true;
            }));
            for (int i = 0; i < 6; i++) {
                service.submit(request(5, i, options)).completions().join();
            }
            assertFalse(slow.completions().isDone());
            others.countDown();
            assertEquals(slow.completions().join().get(0).text(), heard.toString());
        }
    }

    @Test
    void clientsTakeTurns() throws InterruptedException {
        List<String> order = new ArrayList<>();
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(1);
        Gate first = new Gate("first");
        try (AnswerService service = AnswerService.open(model, OPTIONS.withRows(1))) {
            List<PendingAnswer> pending = new ArrayList<>();
            pending.add(service.submit(request(5, 1, options.withConstraint(first)).withClient("a")));
            first.awaitFirstToken();
            List<Gate> gates = new ArrayList<>();
            for (String client : "aaaaabb".split("")) {
                Gate gate = new Gate(client + gates.size());
                gates.add(gate);
                pending.add(service.submit(request(5, 1, options.withConstraint(gate)).withClient(client)));
            }
            awaitSearch(gates, first.steps());
            first.open();
            while (gates.size() > order.size()) {
                Gate next = gates.stream().filter(Gate::holdsUp).findFirst().orElse(first);
                if (next != first) {
                    order.add(next.description().substring(0, 1));
                    next.open();
                }
                Thread.onSpinWait();
            }
            pending.forEach(each -> each.completions().join());
        }
        // The one at the gate was a's, too.
        assertEquals(List.of("a", "b", "a", "b", "a", "a", "a"), order);
    }

    /** Waits until it is known what each answer may begin with. */
    private static void awaitSearch(List<Gate> gates, int steps) throws InterruptedException {
        while (gates.stream().anyMatch(gate -> gate.steps() < steps)) {
            Thread.onSpinWait();
        }
        // From the last step to what is kept of all.
        Thread.sleep(50);
    }

    @Test
    void othersAreAnsweredWhileAConstraintIsSearched() {
        CountDownLatch searched = new CountDownLatch(1);
        CountDownLatch open = new CountDownLatch(1);
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            PendingAnswer held = service.submit(request(5, 1, LONG.withConstraint(Gate.slow("slow", searched, open))));
            Gate.await(searched);
            for (int i = 0; i < 6; i++) {
                AnswerRequest other = request(5, i, LONG);
                assertSame(alone(other), service.submit(other).completions().join().get(0));
            }
            assertFalse(held.completions().isDone());
            PendingAnswer cancelled = service.submit(request(5, 1, LONG.withConstraint(Gate.slow("slow, too", searched,
                    open))));
            cancelled.cancel();
            assertEquals(StopReason.CANCELLED, cancelled.completions().join().get(0).stopReason());
            open.countDown();
            assertEquals(150, held.completions().join().get(0).ids().length);
        }
    }

    @Test
    void afterAFailureOfDecodingTheNextRequestIsAnswered() {
        Gate broken = new Gate("broken") {
            @Override
            public boolean mayEnd(int state) {
                throw new StackOverflowError("too deep");
            }
        };
        failsThenAnswers(request(5, 1, LONG.withConstraint(broken)));
        Gate unknown = new Gate("broken, too") {
            @Override
            public int step(int state, int value) {
                throw new StackOverflowError("too deep");
            }
        };
        unknown.open();
        failsThenAnswers(request(5, 1, LONG.withConstraint(unknown)));
    }

    @Test
    void anErrorOfAListenerEndsItsRequest() {
        failsThenAnswers(request(5, 1, LONG).withListener((answer, piece, tokens) -> {
            throw new StackOverflowError("too deep");
        }));
    }

    /** A failure that is not told would leave its caller waiting. */
    private static void failsThenAnswers(AnswerRequest request) {
        try (AnswerService service = AnswerService.open(model, OPTIONS)) {
            PendingAnswer failing = service.submit(request);
            String message = assertThrows(CompletionException.class, () -> failing.completions()
                    .orTimeout(1, TimeUnit.MINUTES).join()).getMessage();
            assertTrue(message.contains("StackOverflowError"), message);
            AnswerRequest next = request(5, 2, LONG);
            assertSame(alone(next), service.submit(next).completions().join().get(0));
        }
    }

    @Test
    void aClosedServiceEndsWhatRunsAndTakesNothing() {
        AnswerService service = AnswerService.open(model, OPTIONS.withRows(1));
        List<PendingAnswer> pending = List.of(service.submit(request(5, 1, LONG)),
                service.submit(request(5, 2, LONG)));
        service.close();
        for (PendingAnswer each : pending) {
            assertInstanceOf(ClosedException.class,
                    assertThrows(CompletionException.class, () -> each.completions().join()).getCause());
        }
        assertThrows(ClosedException.class, () -> service.submit(request(5, 1, LONG)));
        service.close();
    }

    @Test
    void aModelThatIsClosedEndsWhatRunsFirst() {
        BaseModel own = load("tiny-llama");
        try (AnswerService service = AnswerService.open(own, OPTIONS)) {
            AnswerRequest request = request(5, 1, LONG);
            PendingAnswer pending = service.submit(request);
            own.close();
            assertSame(alone(request), pending.completions().join().get(0));
            assertThrows(ClosedException.class, () -> service.submit(request));
        }
    }

    @Test
    void whatCannotBeAnsweredIsRefusedAtOnce() {
        try (AnswerService service = AnswerService.open(model, OPTIONS.withCacheBytes(96 * ROW_BYTES))) {
            assertRefused("4,000,000 characters, which are more than the", () -> service.submit(
                    AnswerRequest.of(Prompt.text("1-".repeat(2_000_000)))));
            assertRefused("unknown adapter 'hr'", () -> service.submit(request(5, 1, LONG).withAdapter("hr")));
            assertRefused("give the service more cacheBytes", () -> service.submit(request(5, 1, LONG)));
            assertRefused("5 answers exceed the limit of concurrent answers",
                    () -> service.submit(request(5, 1, GenerationOptions.defaults().withAnswers(5))));
            assertRefused("prompt 0 has 0 tokens", () -> service.submit(AnswerRequest.of(Prompt.tokens())));
        }
        assertRefused("cacheBytes is 100", () -> AnswerService.open(model, OPTIONS.withCacheBytes(100)));
    }

    private static void assertRefused(String message, Runnable action) {
        String actual = assertThrows(ConfigurationException.class, action::run).getMessage();
        assertTrue(actual.contains(message), actual);
    }

    @Test
    void encoderDecodersAnswerOneRequestAfterTheOther() {
        try (BaseModel t5 = load("seq2seq/flan-t5"); AnswerService service = AnswerService.open(t5, OPTIONS)) {
            GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(6);
            List<PendingAnswer> pending = IntStream.range(0, 3)
                    .mapToObj(i -> service.submit(request(5 + i, i, options))).toList();
            for (int i = 0; i < 3; i++) {
                assertSame(t5.generate(List.of(prompt(5 + i, i)), options).get(0),
                        pending.get(i).completions().join().get(0));
            }
        }
    }
}
