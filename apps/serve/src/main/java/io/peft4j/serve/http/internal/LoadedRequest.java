package io.peft4j.serve.http.internal;

import java.nio.ByteBuffer;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;

/** A request whose body has been read. */
final class LoadedRequest extends Request.Wrapper {
    private final int length;
    private Content.Chunk chunk;

    LoadedRequest(Request request, byte[] bytes, int length) {
        super(request);
        this.length = length;
        this.chunk = Content.Chunk.from(ByteBuffer.wrap(bytes, 0, length), true);
    }

    @Override
    public long getLength() {
        return length;
    }

    @Override
    public Content.Chunk read() {
        Content.Chunk read = chunk;
        chunk = Content.Chunk.EOF;
        return read;
    }

    @Override
    public void demand(Runnable callback) {
        callback.run();
    }

    @Override
    public boolean consumeAvailable() {
        chunk = Content.Chunk.EOF;
        return true;
    }
}
