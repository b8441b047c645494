package io.peft4j.spark;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A folder on storage that all machines see, through Hadoop: {@code file:}, {@code hdfs:}, {@code s3a:} and others. */
final class SharedFolder implements Closeable {
    private static final Pattern CHECKPOINT = Pattern.compile("checkpoint-(\\d{1,18})");
    /** What makes a folder of files complete is written last. */
    private static final List<String> LAST = List.of("SHA256SUMS", "adapter_config.json");

    private final Path folder;
    private final FileSystem files;

    SharedFolder(String place, Configuration configuration) throws IOException {
        this.folder = new Path(place);
        this.files = FileSystem.newInstance(folder.toUri(), configuration);
        // Without side files of checksums: an adapter is a folder that others read, and checkpoints have their own.
        files.setWriteChecksum(false);
        files.setVerifyChecksum(false);
    }

    /** The checkpoints, by their updates, the newest first. */
    List<Long> checkpoints() throws IOException {
        List<Long> steps = new ArrayList<>();
        for (FileStatus entry : entries(folder)) {
            Matcher matcher = CHECKPOINT.matcher(entry.getPath().getName());
            if (entry.isDirectory() && matcher.matches()) {
                steps.add(Long.parseLong(matcher.group(1)));
            }
        }
        steps.sort(Comparator.reverseOrder());
        return steps;
    }

    private List<FileStatus> entries(Path place) throws IOException {
        try {
            return List.of(files.listStatus(place));
        } catch (FileNotFoundException e) {
            // A training that begins.
            return List.of();
        }
    }

    /** Copies what a training resumes from to a folder of this machine. */
    void fetch(java.nio.file.Path local, List<String> names) throws IOException {
        for (String name : names) {
            if (files.exists(new Path(folder, name))) {
                fetch(new Path(folder, name), local.resolve(name));
            }
        }
        for (long step : checkpoints()) {
            fetch(new Path(folder, "checkpoint-" + step), local.resolve("checkpoint-" + step));
        }
    }

    private void fetch(Path from, java.nio.file.Path to) throws IOException {
        if (files.getFileStatus(from).isDirectory()) {
            Files.createDirectories(to);
            for (FileStatus entry : entries(from)) {
                fetch(entry.getPath(), to.resolve(entry.getPath().getName()));
            }
        } else {
            Files.createDirectories(to.getParent());
            try (InputStream in = files.open(from)) {
                Files.copy(in, to);
            }
        }
    }

    /**
     * Adds a checkpoint under a name of its own first, so that one of the right name is whole where the storage can
     * rename; elsewhere its checksums tell.
     *
     * @param kept how many stay
     */
    void addCheckpoint(java.nio.file.Path local, int kept) throws IOException {
        Path target = new Path(folder, local.getFileName().toString());
        Path temporary = new Path(folder, "." + local.getFileName() + "." + Long.toHexString(System.nanoTime()));
        put(local, temporary);
        if (files.exists(target)) {
            files.delete(target, true);
        }
        if (!files.rename(temporary, target)) {
            throw new IOException("cannot rename " + temporary + " to " + target);
        }
        List<Long> steps = checkpoints();
        for (long old : steps.subList(Math.min(kept, steps.size()), steps.size())) {
            files.delete(new Path(folder, "checkpoint-" + old), true);
        }
    }

    /** Copies the files of a folder, not its folders of checkpoints. */
    void putFiles(java.nio.file.Path local) throws IOException {
        for (java.nio.file.Path file : list(local)) {
            boolean checkpoint = CHECKPOINT.matcher(file.getFileName().toString()).matches();
            if (!checkpoint && !file.getFileName().toString().startsWith(".")) {
                put(file, new Path(folder, file.getFileName().toString()));
            }
        }
    }

    private void put(java.nio.file.Path from, Path to) throws IOException {
        if (Files.isDirectory(from)) {
            files.mkdirs(to);
            for (java.nio.file.Path file : list(from)) {
                put(file, new Path(to, file.getFileName().toString()));
            }
        } else {
            try (OutputStream out = files.create(to, true)) {
                Files.copy(from, out);
            }
        }
    }

    private static List<java.nio.file.Path> list(java.nio.file.Path local) throws IOException {
        try (var entries = Files.list(local)) {
            return entries.sorted(
                    Comparator.comparingInt((java.nio.file.Path file) -> LAST.indexOf(file.getFileName().toString()))
                            .thenComparing(Comparator.naturalOrder()))
                    .toList();
        }
    }

    @Override
    public void close() throws IOException {
        files.close();
    }
}
