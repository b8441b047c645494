package io.peft4j.stress;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** A base model from its loading to its closing, with all threads on it. */
final class Round {
    private static final int ASKING = 8;
    private static final long HANGS_AFTER_MILLIS = 60_000;

    private final Expected expected;
    private final SplittableRandom random;
    private final BaseModel base = Expected.load();
    private final PeftModel model = new PeftModel(base);
    /** Of this one adapters come and go. */
    private final PeftModel changing = new PeftModel(base);
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicInteger trainings = new AtomicInteger();
    private final AtomicInteger changes = new AtomicInteger();

    Round(Expected expected, SplittableRandom random) {
        this.expected = expected;
        this.random = random;
        Expected.ADAPTERS.forEach(model::loadAdapter);
        changing.loadAdapter("swapped", adapter("lora")).activate("swapped");
    }

    private static Path adapter(String name) {
        return Expected.ADAPTERS.get(name);
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    int answers() {
        return answers.get();
    }

    int trainings() {
        return trainings.get();
    }

    int changes() {
        return changes.get();
    }

    void run() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < ASKING; i++) {
            threads.add(thread("asking-" + i, this::ask));
        }
        threads.add(thread("training", this::train));
        threads.add(thread("changing", this::change));
        threads.forEach(Thread::start);
        Thread.sleep(random.nextInt(400, 1500));
        List<Runnable> closes = new ArrayList<>(List.of(base::close, model::close, changing::close));
        for (int i = closes.size(); i > 0; i--) {
            closes.remove(random.nextInt(i)).run();
            if (random.nextBoolean()) {
                Thread.sleep(random.nextInt(30));
            }
        }
        for (Thread thread : threads) {
            thread.join(HANGS_AFTER_MILLIS);
            if (thread.isAlive()) {
                failures.add(thread.getName() + " hangs: " + List.of(thread.getStackTrace()));
            }
        }
    }

    @FunctionalInterface
    private interface Step {
        void run(SplittableRandom own);
    }

    private Thread thread(String name, Step step) {
        SplittableRandom own = random.split();
        return new Thread(() -> {
            try {
                while (true) {
                    step.run(own);
                }
            } catch (ClosedException e) {
                // The end of the round.
            } catch (RuntimeException | Error e) {
                failures.add(name + ": " + e + " at " + List.of(e.getStackTrace()).subList(0,
                        Math.min(6, e.getStackTrace().length)));
            }
        }, name);
    }

    // ---- asking

    private void ask(SplittableRandom own) {
        List<String> names = List.copyOf(expected.answers().keySet());
        String name = names.get(own.nextInt(names.size()));
        int prompt = own.nextInt(expected.prompts().size());
        switch (own.nextInt(4)) {
            case 0 -> check(name, prompt, (name.equals(PeftModel.BASE) ? model.with() : model.with(name))
                    .generate(List.of(expected.prompts().get(prompt)), Expected.OPTIONS).get(0));
            case 1 -> check(PeftModel.BASE, prompt,
                    base.generate(List.of(expected.prompts().get(prompt)), Expected.OPTIONS).get(0));
            case 2 -> askTogether(own, names);
            default -> askSwapped(prompt);
        }
    }

    private void askTogether(SplittableRandom own, List<String> names) {
        int[] prompts = IntStream.generate(() -> own.nextInt(expected.prompts().size())).limit(5).toArray();
        List<String> adapters = IntStream.range(0, prompts.length)
                .mapToObj(i -> names.get(own.nextInt(names.size()))).toList();
        List<Prompt> asked = IntStream.of(prompts).mapToObj(expected.prompts()::get).toList();
        List<Completion> given = model.generate(asked, adapters, Expected.OPTIONS);
        for (int i = 0; i < prompts.length; i++) {
            check(adapters.get(i), prompts[i], given.get(i));
        }
    }

    private void check(String name, int prompt, Completion given) {
        answers.incrementAndGet();
        String wanted = expected.answers().get(name).get(prompt);
        if (!wanted.equals(Expected.text(given))) {
            failures.add(name + ", prompt " + prompt + ": " + Expected.text(given) + " instead of " + wanted);
        }
    }

    /** Of an adapter that is exchanged, merged and switched off meanwhile: what one of its states says. */
    private void askSwapped(int prompt) {
        String given = Expected.text(changing.generate(List.of(expected.prompts().get(prompt)), Expected.OPTIONS)
                .get(0));
        answers.incrementAndGet();
        if (expected.answers().values().stream().noneMatch(each -> each.get(prompt).equals(given))) {
            failures.add("an answer of no adapter to prompt " + prompt + ": " + given);
        }
    }

    // ---- training

    private void train(SplittableRandom own) {
        List<float[]> now = Expected.train(base);
        for (int i = 0; i < now.size(); i++) {
            if (!Arrays.equals(now.get(i), expected.trained().get(i))) {
                failures.add("a training ended with other values in tensor " + i);
            }
        }
        trainings.incrementAndGet();
    }

    // ---- changing

    private void change(SplittableRandom own) {
        List<String> names = List.copyOf(Expected.ADAPTERS.keySet());
        String name = names.get(own.nextInt(names.size()));
        changes.incrementAndGet();
        switch (own.nextInt(6)) {
            case 0, 1 -> changing.hotSwap("swapped", adapter(name));
            case 2 -> {
                changing.loadAdapter("more", adapter(name));
                changing.activate("more");
                changing.deleteAdapter("more");
                changing.activate("swapped");
            }
            case 3 -> {
                changing.merge();
                changing.unmerge();
            }
            case 4 -> {
                try (PeftModel.Scope disabled = changing.disable()) {
                    changing.activeAdapters();
                }
            }
            default -> refused();
        }
    }

    /** What is refused must change nothing. */
    private void refused() {
        try {
            changing.activate("nobody");
            failures.add("an unknown adapter was activated");
        } catch (ConfigurationException e) {
            changing.activate("swapped");
        }
    }
}
