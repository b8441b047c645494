package io.peft4j.models.export;

import io.peft4j.core.peft.LogitDifference;
import io.peft4j.core.weight.BlockType;
import java.nio.file.Path;
import java.util.List;

/**
 * What was written.
 *
 * @param target the folder or file
 * @param type type of the matrices
 * @param files all files, relative to the target's folder
 * @param bytes their size together
 * @param untied whether the model's output layer and embedding shared one weight and have become two by merging
 * @param difference how far the logits of what was written, loaded again, are from the model's
 * @param tolerance the largest {@link LogitDifference#relative()} that was accepted, see {@link ModelExport#tolerance}
 */
public record ExportReport(Path target, BlockType type, List<String> files, long bytes, boolean untied,
        LogitDifference difference, double tolerance) {
    /** Copies the list. */
    public ExportReport {
        files = List.copyOf(files);
    }
}
