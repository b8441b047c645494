package io.peft4j.models.hub;

import io.peft4j.models.hub.HubException.Kind;
import io.peft4j.models.hub.StallGuard.Stalled;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/**
 * Brings single files from the hub into the cache: resumed where they broke off, checked against the hub's checksum
 * before they get their name, and at most once at a time.
 */
final class HubDownload {
    private static final int MAX_TRIES = 5;
    private static final int MAX_DAMAGED = 2;
    private static final long REAL_PROGRESS_BYTES = 1 << 20;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);
    private static final Duration STALL = Duration.ofSeconds(60);

    private final HubClient client;
    private final HubCache cache;
    private final DownloadListener listener;
    private final String hub;
    private final Duration firstPause;

    /**
     * @param hub the hub's name for a human reader
     * @param firstPause how long to wait before the second try; doubled for each further one
     */
    HubDownload(HubClient client, HubCache cache, DownloadListener listener, String hub, Duration firstPause) {
        this.client = client;
        this.cache = cache;
        this.listener = listener;
        this.hub = hub;
        this.firstPause = firstPause;
    }

    /** A request that may fail. */
    @FunctionalInterface
    interface Request<T> {
        T send() throws HubException;
    }

    /**
     * Repeats a request that failed for a passing reason.
     *
     * @param whenUnreachable false: a hub that cannot be reached at all is not tried again, because the next source is
     *     better than a long wait
     */
    <T> T retrying(Request<T> request, boolean whenUnreachable) throws HubException {
        for (int tries = 1;; tries++) {
            try {
                return request.send();
            } catch (HubException e) {
                boolean again = e.kind() == Kind.BUSY || e.kind() == Kind.CONNECTION && whenUnreachable;
                if (!again || tries == MAX_TRIES) {
                    throw e;
                }
                pause(tries, e);
            }
        }
    }

    /**
     * Makes a file appear in the snapshot of a commit.
     *
     * @return its path in the snapshot
     */
    Path bring(ModelReference model, String commit, HubFile listed) throws HubException {
        Path pointer = cache.snapshot(model.id(), commit).resolve(listed.name());
        if (Files.isRegularFile(pointer)) {
            return pointer;
        }
        String hash;
        HubFile file = listed;
        if (listed.checksum().isPresent()) {
            hash = listed.checksum().get().hex();
        } else {
            hash = retrying(() -> client.etag(model, commit, listed), true);
            // Only this form is known to be a checksum of the content.
            file = new HubFile(listed.name(), listed.size(),
                    hash.matches("[0-9a-f]{64}") ? Optional.of(ExpectedHash.sha256(hash)) : Optional.empty());
        }
        Path blob = cache.blob(model.id(), hash);
        if (!Files.isRegularFile(blob)) {
            try (CacheLock lock = CacheLock.acquire(cache.lock(model.id(), hash),
                    () -> listener.note("Waiting for another process that is downloading " + listed.name()))) {
                if (!Files.isRegularFile(blob)) {
                    fill(model, commit, file, cache.incomplete(model.id(), hash), blob);
                }
            }
        }
        return cache.link(model.id(), commit, listed.name(), hash);
    }

    private void fill(ModelReference model, String commit, HubFile file, Path partial, Path blob) throws HubException {
        try {
            Files.createDirectories(blob.getParent());
            checkSpace(blob.getParent(), file, existing(partial, file));
            listener.started(file.name(), hub, file.size());
            int damaged = 0;
            for (int tries = 1;; tries++) {
                long before = existing(partial, file);
                try {
                    transfer(model, commit, file, partial, before);
                    verify(file, partial);
                    Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE);
                    listener.finished(file.name(), blob);
                    return;
                } catch (HubException e) {
                    damaged += e.kind() == Kind.DAMAGED ? 1 : 0;
                    // A large file over a bad line: as long as each try brings something, it gets there.
                    tries = existing(partial, file) - before >= REAL_PROGRESS_BYTES ? 1 : tries;
                    if (e.isFinal() || tries == MAX_TRIES || damaged == MAX_DAMAGED) {
                        throw e;
                    }
                    pause(tries, e);
                }
            }
        } catch (HubException e) {
            throw e;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write " + blob + " in the model cache: " + HubClient.describe(e), e);
        }
    }

    private static long existing(Path partial, HubFile file) throws IOException {
        if (!Files.exists(partial)) {
            return 0;
        }
        long size = Files.size(partial);
        if (file.size() >= 0 && size > file.size()) {
            Files.delete(partial);
            return 0;
        }
        return size;
    }

    private static void checkSpace(Path folder, HubFile file, long there) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        if (file.size() - there > free) {
            throw new IOException(file.name() + " needs " + (file.size() - there) + " bytes and the disk has " + free
                    + " left; free space or set HF_HUB_CACHE to a folder on another disk");
        }
    }

    /** Appends what is missing. An error of the network is a HubException, one of the disk any other IOException. */
    private void transfer(ModelReference model, String commit, HubFile file, Path partial, long offset)
            throws IOException {
        if (offset > 0 && offset == file.size()) {
            return;
        }
        HttpResponse<InputStream> response = client.open(model, commit, file, offset);
        boolean resumed = response.statusCode() == 206 && response.headers().firstValue("Content-Range")
                .map(range -> range.startsWith("bytes " + offset + "-")).orElse(false);
        if (response.statusCode() == 416 || response.statusCode() == 206 && !resumed) {
            response.body().close();
            Files.deleteIfExists(partial);
            throw new HubException(Kind.DAMAGED, hub + " cannot continue " + file.name() + " at byte " + offset);
        }
        long start = resumed ? offset : 0;
        long total = file.size() >= 0 ? file.size()
                : response.headers().firstValueAsLong("Content-Length").orElse(-1 - start) + start;
        try (OutputStream out = Files.newOutputStream(partial, StandardOpenOption.CREATE,
                resumed ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            copy(response.body(), out, file, start, total);
        }
    }

    private void copy(InputStream body, OutputStream out, HubFile file, long start, long total) throws IOException {
        ThrottledProgress progress = new ThrottledProgress(listener, file.name(), total);
        long done = start;
        byte[] buffer = new byte[BUFFER_BYTES];
        try (StallGuard in = new StallGuard(body, STALL)) {
            for (int n = read(in, buffer, file); n >= 0; n = read(in, buffer, file)) {
                out.write(buffer, 0, n);
                done += n;
                progress.at(done);
                if (total >= 0 && done > total) {
                    throw new HubException(Kind.DAMAGED, hub + " sent more of " + file.name() + " than its " + total
                            + " bytes");
                }
            }
        }
        if (total >= 0 && done < total) {
            throw new HubException(Kind.CONNECTION, "the connection to " + hub + " was lost at byte " + done + " of "
                    + total + " of " + file.name());
        }
        progress.end(done);
    }

    private int read(StallGuard in, byte[] buffer, HubFile file) throws HubException {
        try {
            return in.read(buffer);
        } catch (Stalled e) {
            throw new HubException(Kind.CONNECTION, hub + " sent nothing of " + file.name() + " for "
                    + STALL.toSeconds() + " s", e);
        } catch (IOException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new UncheckedIOException("Interrupted while downloading " + file.name(),
                        new InterruptedIOException());
            }
            throw new HubException(Kind.CONNECTION, "the connection to " + hub + " was lost within "
                    + file.name() + ": "
                    + HubClient.describe(e), e);
        }
    }

    private void verify(HubFile file, Path partial) throws IOException {
        if (file.checksum().isEmpty()) {
            return;
        }
        ExpectedHash expected = file.checksum().get();
        String actual = expected.of(partial);
        if (!actual.equals(expected.hex())) {
            Files.delete(partial);
            throw new HubException(Kind.DAMAGED, "what " + hub + " sent as " + file.name()
                    + " is damaged (its checksum is " + actual
                    + " and not " + expected.hex() + ")");
        }
    }

    private void pause(int tries, HubException why) throws HubException {
        if (why.waitingTime().compareTo(LONGEST_WAIT) > 0) {
            throw new HubException(Kind.FINAL, why.getMessage() + ", and asks to wait " + why.waitingTime().toSeconds()
                    + " s; try again then, or send an access token (HF_TOKEN), for which the limits are higher", why);
        }
        long millis = Math.max(firstPause.toMillis() << (tries - 1), why.waitingTime().toMillis());
        listener.note("Trying again in " + millis + " ms: " + why.getMessage());
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException("Interrupted while waiting for " + hub, new InterruptedIOException());
        }
    }
}
