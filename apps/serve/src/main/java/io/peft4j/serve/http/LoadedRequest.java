package io.peft4j.serve.http;

import java.nio.ByteBuffer;
import java.util.Deque;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;

/** A request whose body has been read. Its pieces are given up as they are asked for. */
final class LoadedRequest extends Request.Wrapper {
    private final int length;
    private final Deque<ByteBuffer> pieces;

    /** @param pieces that are not empty */
    LoadedRequest(Request request, Deque<ByteBuffer> pieces) {
        super(request);
        this.length = pieces.stream().mapToInt(ByteBuffer::remaining).sum();
        this.pieces = pieces;
    }

    @Override
    public long getLength() {
        return length;
    }

    @Override
    public Content.Chunk read() {
        ByteBuffer piece = pieces.poll();
        return piece == null ? Content.Chunk.EOF : Content.Chunk.from(piece, pieces.isEmpty());
    }

    @Override
    public void demand(Runnable callback) {
        callback.run();
    }

    @Override
    public boolean consumeAvailable() {
        pieces.clear();
        return true;
    }
}
