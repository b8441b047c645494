package io.peft4j.cli;

import io.peft4j.train.Cancellation;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;

/**
 * Lets a command end in order on Ctrl-C or SIGTERM: its action is run, and the process waits
 * until the command has returned. Where no action is registered the process ends at once. The exit status is the
 * signal's (130, 143), whatever the command returns.
 */
final class Interrupts {
    private final AtomicReference<Runnable> action = new AtomicReference<>();
    private final CountDownLatch finished = new CountDownLatch(1);

    /** Interrupts that never come, for tests. */
    Interrupts() {
    }

    /** The signals of this process. */
    static Interrupts ofThisProcess() {
        Interrupts interrupts = new Interrupts();
        Runtime.getRuntime().addShutdownHook(new Thread(interrupts::stop, "peft4j-stop"));
        return interrupts;
    }

    /** Ends a registration. */
    @FunctionalInterface
    interface Registration extends AutoCloseable {
        @Override
        void close();
    }

    /** Registers what ends the command in order. */
    Registration stopping(Runnable onStop) {
        action.set(onStop);
        return () -> action.set(null);
    }

    /** Registers the end of a training: it stops after the step that runs and saves what it has. */
    Registration stopping(Cancellation cancellation, Console console) {
        return stopping(() -> {
            console.say("Stopping after this step and saving the adapter ...");
            cancellation.cancel();
        });
    }

    /** Runs the command. However it ends, also by an error of the JVM, a stop does not wait for it any more. */
    int during(IntSupplier command) {
        try {
            return command.getAsInt();
        } finally {
            finished.countDown();
        }
    }

    /** Ends in order what was registered, and waits until the command has returned. */
    void stop() {
        Runnable onStop = action.get();
        if (finished.getCount() == 0) {
            return;
        }
        Console.endLine();
        if (onStop == null) {
            return;
        }
        onStop.run();
        try {
            finished.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
