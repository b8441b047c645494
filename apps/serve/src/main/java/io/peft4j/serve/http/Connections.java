package io.peft4j.serve.http;

import io.javalin.http.Context;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.internal.HttpConnection;
import org.eclipse.jetty.util.BufferUtil;

/** What is known of the connection that a request came by. */
final class Connections {
    private static final int NEXT_REQUEST_BYTES = 1024;

    private Connections() {
    }

    /**
     * Whether a client has closed its side while it waits for a reply. Over HTTP/1.1 the connection is not read in
     * that time, so this does, without waiting: at its end the client is gone, and bytes are those of its next request,
     * which are given back. For the thread that handles the request, after its body was read.
     */
    public static boolean isGone(Context request) {
        Connection connection = ServletContextRequest.getServletContextRequest(request.req()).getConnectionMetaData()
                .getConnection();
        if (!(connection instanceof HttpConnection http) || !http.isRequestBufferEmpty()) {
            return false;
        }
        ByteBuffer bytes = BufferUtil.allocate(NEXT_REQUEST_BYTES);
        try {
            int count = http.getEndPoint().fill(bytes);
            if (count > 0) {
                http.onUpgradeTo(bytes);
            }
            return count < 0;
        } catch (IOException e) {
            // A connection that cannot be read any more has no client.
            return true;
        }
    }
}
