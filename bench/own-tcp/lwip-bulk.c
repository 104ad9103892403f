/*
 * lwIP (Debian's liblwip) on a TUN device, to compare with: sends, or takes and throws away, as fast as it can.
 * usage: lwip-bulk INTERFACE IP GATEWAY source|sink PORT OCTETS
 * source: each connection gets OCTETS and is closed. sink: each connection is read to its end and closed.
 * One thread, the raw API, the library as it is packaged; the loop sleeps in poll(2) when nothing comes.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lwip/init.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#define MTU 1500
#define NAME_OCTETS 16

/* linux/if.h and lwIP's netif.h do not get on with each other. */
struct interface_request {
  char name[NAME_OCTETS];
  short flags;
  char unused[22];
};

static int tun;
static struct netif netif;
static int is_source;
static unsigned long long octets;
static char zeros[65536];

struct connection {
  unsigned long long left;
  int is_closed;
};

static err_t output(struct netif *n, struct pbuf *p, const ip4_addr_t *to) {
  char packet[MTU];
  (void)n;
  (void)to;
  if (p->next == NULL) return write(tun, p->payload, p->len) == p->len ? ERR_OK : ERR_IF;
  u16_t length = pbuf_copy_partial(p, packet, sizeof packet, 0);
  return write(tun, packet, length) == length ? ERR_OK : ERR_IF;
}

static err_t set_up(struct netif *n) {
  n->name[0] = 't';
  n->name[1] = 'n';
  n->mtu = MTU;
  n->output = output;
  n->flags |= NETIF_FLAG_LINK_UP;
  return ERR_OK;
}

static void finish(struct tcp_pcb *pcb, struct connection *c) {
  if (c->is_closed) return;
  c->is_closed = 1;
  tcp_close(pcb);
}

static void fill(struct tcp_pcb *pcb, struct connection *c) {
  while (c->left > 0) {
    unsigned long long most = tcp_sndbuf(pcb);
    if (most > c->left) most = c->left;
    if (most > sizeof zeros) most = sizeof zeros;
    /* No copy: they never change. */
    if (most == 0 || tcp_write(pcb, zeros, (u16_t)most, 0) != ERR_OK) break;
    c->left -= most;
  }
  if (c->left == 0) finish(pcb, c);
  tcp_output(pcb);
}

static err_t on_sent(void *c, struct tcp_pcb *pcb, u16_t length) {
  (void)length;
  fill(pcb, c);
  return ERR_OK;
}

static err_t on_received(void *c, struct tcp_pcb *pcb, struct pbuf *p, err_t error) {
  (void)error;
  if (p == NULL) {
    finish(pcb, c);
    return ERR_OK;
  }
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

static err_t on_accepted(void *none, struct tcp_pcb *pcb, err_t error) {
  struct connection *c = calloc(1, sizeof *c);
  (void)none;
  (void)error;
  c->left = is_source ? octets : 0;
  tcp_arg(pcb, c);
  tcp_recv(pcb, on_received);
  if (is_source) {
    tcp_sent(pcb, on_sent);
    fill(pcb, c);
  }
  return ERR_OK;
}

static void take_packets(void) {
  static char packet[65536];
  for (;;) {
    ssize_t length = read(tun, packet, sizeof packet);
    if (length <= 0) return;
    if (packet[0] >> 4 != 4) continue;
    /* PBUF_POOL, which drivers take as a rule, corrupts the heap with Debian's build. */
    struct pbuf *p = pbuf_alloc(PBUF_LINK, (u16_t)length, PBUF_RAM);
    if (p == NULL) continue;
    pbuf_take(p, packet, (u16_t)length);
    if (netif.input(p, &netif) != ERR_OK) pbuf_free(p);
  }
}

int main(int count, char **given) {
  if (count != 7) return 2;
  ip4_addr_t ip, mask, gateway;
  struct interface_request request = {.flags = IFF_TUN | IFF_NO_PI};
  strncpy(request.name, given[1], NAME_OCTETS - 1);
  is_source = strcmp(given[4], "source") == 0;
  octets = strtoull(given[6], NULL, 10);
  tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0) {
    perror("the TUN device");
    return 1;
  }
  lwip_init();
  ip4addr_aton(given[2], &ip);
  ip4addr_aton("255.255.255.0", &mask);
  ip4addr_aton(given[3], &gateway);
  netif_add(&netif, &ip, &mask, &gateway, NULL, set_up, ip_input);
  netif_set_default(&netif);
  netif_set_up(&netif);
  struct tcp_pcb *listener = tcp_new();
  if (tcp_bind(listener, IP_ANY_TYPE, (u16_t)atoi(given[5])) != ERR_OK) return 1;
  tcp_accept(tcp_listen(listener), on_accepted);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd ready = {.fd = tun, .events = POLLIN};
    poll(&ready, 1, 10);
    if (ready.revents & POLLIN) take_packets();
    sys_check_timeouts();
  }
}
