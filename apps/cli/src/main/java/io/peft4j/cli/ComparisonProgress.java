package io.peft4j.cli;

import io.peft4j.eval.Comparison;

/** Shows how far a comparison has come, arm after arm. */
final class ComparisonProgress implements Comparison.Listener, AutoCloseable {
    private final Console console;
    private String arm = "";
    private TerminalProgress progress;

    ComparisonProgress(Console console) {
        this.console = console;
    }

    @Override
    public void onAnswers(String name, int done, int total) {
        if (!name.equals(arm)) {
            close();
            arm = name;
            progress = TerminalProgress.of(console, "Asking " + name, done, total);
        }
        progress.to(done, "");
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
            progress = null;
        }
    }
}
