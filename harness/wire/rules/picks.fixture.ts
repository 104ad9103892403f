/** For tests: matches, and the words that they become. */

/** What the rule says that picks; the direction stands before it. */
export const PICKS: readonly (readonly [clause: string, iptables: string | RegExp, nft: string | RegExp])[] =
  [
    ['syn', '--tcp-flags SYN,ACK,RST SYN -j', 'tcp flags & (syn|rst|ack) == syn goto'],
    ['syn-ack', '--tcp-flags SYN,ACK,RST SYN,ACK', 'tcp flags & (syn|rst|ack) == syn|ack'],
    ['fin', '--tcp-flags FIN,RST FIN', 'tcp flags & (fin|rst) == fin'],
    ['rst', '--tcp-flags RST RST', 'tcp flags & (rst) == rst'],
    ['data', /--tcp-flags RST NONE -m bpf --bytecode/, '80-95 . 41-65535'],
    [
      'pure-ack',
      /--tcp-flags SYN,ACK,FIN,RST ACK -m bpf --bytecode/,
      '@th,96,8 . ip length { 80-95 . 40, 96-111 . 44,',
    ],
    ['segment with flags PSH without flags URG', '--tcp-flags URG,PSH PSH', 'tcp flags & (psh|urg) == psh'],
    [
      'segment with exactly SYN,ECE',
      /-m bpf --bytecode .*84 0 0 4095,21 0 1 66,/,
      '@th,100,12 & 0xfff == 0x42',
    ],
    ['segment with flags AE', /-m bpf --bytecode .*84 0 0 256,21 0 1 256,/, '@th,100,12 & 0x100 == 0x100'],
    ['not segment with flags SYN,ACK', '! --tcp-flags SYN,ACK SYN,ACK', 'tcp flags & (syn|ack) != syn|ack'],
    ['syn with option timestamps', '-m tcp --tcp-option 8', 'tcp option timestamp exists'],
    ['syn without option sackPermitted', '-m tcp ! --tcp-option 4', 'tcp option sack-perm missing'],
    ['syn with option fastOpen', '-m tcp --tcp-option 34', 'tcp option 34 exists'],
    ['syn with mss 536..1460', '-m tcpmss --mss 536:1460', 'tcp option maxseg size 536-1460'],
    ['syn with mss 536,1460', /--mss 536 -g .*\n.*--mss 1460 -g/, 'tcp option maxseg size { 536, 1460 }'],
    ['syn with window 5000..', /72 0 0 14,53 0 . 5000/, 'tcp window 5000-65535'],
    ['pure-ack with window 0', /72 0 0 14,21 0 . 0,/, 'tcp window 0'],
    ['segment with window 1..', /72 0 0 14,53 0 . 1,/, 'tcp window 1-65535'],
    ['client.segment', '-s 192.0.2.1 --dport 80 -j', 'ip saddr 192.0.2.1 tcp dport 80 goto'],
    ['segment to client', '-d 192.0.2.1 --sport 80 -j', 'ip daddr 192.0.2.1 tcp sport 80 goto'],
    [
      'syn or rst',
      /--tcp-flags SYN,ACK,RST SYN -g.*\n.*--tcp-flags RST RST -g/,
      /== syn goto.*\n.*== rst goto/,
    ],
    [
      'fin but not server.fin',
      '-s 192.0.2.1 --dport 80 -m tcp --tcp-flags FIN,RST FIN',
      'ip saddr 192.0.2.1 tcp dport 80 tcp flags & (fin|rst) == fin',
    ],
  ];
