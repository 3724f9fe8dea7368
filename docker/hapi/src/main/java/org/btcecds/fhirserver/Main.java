package org.btcecds.fhirserver;

import ca.uhn.fhir.rest.server.RestfulServer;
import java.net.InetSocketAddress;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * Serves FHIR R4 below {@code /fhir}; data are in memory and end with the process.
 *
 * <p>System properties: {@code address} (127.0.0.1), {@code port} (8103; 0: any free one, which the
 * log names) and {@code base}: the FHIR base written into links, instead of the one asked for.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        String address = System.getProperty("address", "127.0.0.1");
        AnnotationConfigApplicationContext beans =
                new AnnotationConfigApplicationContext(FhirServer.class);
        beans.registerShutdownHook();

        ServletContextHandler paths = new ServletContextHandler("/");
        paths.addServlet(new ServletHolder(beans.getBean(RestfulServer.class)), "/fhir/*");
        Server server = new Server(new InetSocketAddress(address, Integer.getInteger("port", 8103)));
        server.setHandler(paths);
        server.start();
        int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
        LoggerFactory.getLogger(Main.class).info("serving http://{}:{}/fhir", address, port);
        server.join();
    }
}
